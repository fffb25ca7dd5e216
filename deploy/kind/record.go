package kind

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// record is what a checkout remembers of the cluster that it makes. It tells a cluster of ours when the cluster itself
// cannot: while it is being made, and when its API server does not answer. Elsewhere the marker decides.
type record struct {
	Cluster string `json:"cluster"`
	// Container is the node's; empty until the cluster is made and has its marker.
	Container string `json:"container,omitempty"`
	// Mark and Ports are what the node is made with, by which a half-made one is known.
	Mark  string `json:"mark,omitempty"`
	Ports bound  `json:"ports"`
}

// readRecord returns the zero record when there is none.
func readRecord(path string) (record, error) {
	var known record
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	if err != nil {
		return known, err
	}
	if err := json.Unmarshal(data, &known); err != nil {
		return known, fmt.Errorf("%s: %w: remove it", path, err)
	}
	return known, nil
}

func (r record) write(path string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o600)
}

// made says that the machine is the node of the cluster that this checkout has made.
func (r record) made(cluster string, node machine) bool {
	return r.Cluster == cluster && r.Container != "" && r.Container == node.ID
}

// halfMade says that the machine is a node that this checkout was making when it was killed.
func (r record) halfMade(cluster string, node machine) bool {
	return r.Cluster == cluster && r.Container == "" && r.Mark != "" && node.has(r.Mark) && node.Ports.has(r.Ports)
}
