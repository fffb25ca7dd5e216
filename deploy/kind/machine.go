package kind

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// machine is the container that is a cluster's node.
type machine struct {
	ID      string
	Name    string
	Running bool
	Ports   bound
	Mounts  []string // paths in the container
}

func (m *machine) has(mount string) bool { return slices.Contains(m.Mounts, mount) }

// clusterLabel is what kind puts on the containers of a cluster.
const clusterLabel = "io.x-k8s.kind.cluster"

// machineOf finds the node of the cluster of that name; nil when there is no such cluster. A cluster of several nodes is
// not one that this package makes.
func machineOf(ctx context.Context, cluster string) (*machine, error) {
	said, err := docker(ctx, "ps", "--all", "--quiet", "--no-trunc", "--filter", "label="+clusterLabel+"="+cluster)
	if err != nil {
		return nil, err
	}
	switch ids := strings.Fields(said); len(ids) {
	case 0:
		return nil, nil
	case 1:
		return inspect(ctx, ids[0])
	default:
		return nil, fmt.Errorf("there is a kind cluster called %s with %d nodes: it is none of ours: choose another name with %s=NAME",
			cluster, len(ids), clusterVariable)
	}
}

// marked names the clusters that have the mount in their node. Nobody's cluster is asked anything for it.
func marked(ctx context.Context, mount string) ([]string, error) {
	said, err := docker(ctx, "ps", "--all", "--filter", "label="+clusterLabel, "--filter", "volume="+mount,
		"--format", `{{.Label "`+clusterLabel+`"}}`)
	return strings.Fields(said), err
}

func inspect(ctx context.Context, id string) (*machine, error) {
	said, err := docker(ctx, "container", "inspect", "--format", "{{json .}}", id)
	if err != nil {
		return nil, err
	}
	var container struct {
		ID         string `json:"Id"`
		Name       string
		State      struct{ Running bool }
		HostConfig struct {
			PortBindings map[string][]struct{ HostPort string }
		}
		Mounts []struct{ Destination string }
	}
	if err := json.Unmarshal([]byte(said), &container); err != nil {
		return nil, fmt.Errorf("docker container inspect: %w", err)
	}
	found := &machine{
		ID: container.ID, Name: strings.TrimPrefix(container.Name, "/"), Running: container.State.Running, Ports: bound{},
	}
	for node, at := range container.HostConfig.PortBindings {
		if len(at) > 0 {
			found.Ports[node] = at[0].HostPort
		}
	}
	for _, mount := range container.Mounts {
		found.Mounts = append(found.Mounts, mount.Destination)
	}
	return found, nil
}

// start starts a node that was stopped, for example with its engine.
func (m *machine) start(ctx context.Context) error {
	_, err := docker(ctx, "container", "start", m.ID)
	return err
}
