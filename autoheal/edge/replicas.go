package edge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// Workloads reads the live state of a workload.
type Workloads interface {
	Workload(ctx context.Context, name string) (workload.Workload, error)
}

// ReadyReplicas lists the ready replicas of the edge's workload, at the port on which each has its control port.
func ReadyReplicas(from Workloads, name string, port int) func(context.Context) ([]Instance, error) {
	return func(ctx context.Context) ([]Instance, error) {
		seen, err := from.Workload(ctx, name)
		if err != nil {
			return nil, err
		}
		var instances []Instance
		for _, r := range seen.Replicas {
			if r.State != workload.Ready {
				continue
			}
			host, _, err := net.SplitHostPort(r.Address)
			if err != nil {
				return nil, fmt.Errorf("replica %s of %s is ready, but its address is %q: %w", r.ID, name, r.Address, err)
			}
			instances = append(instances, Instance{ID: r.ID, URL: "http://" + net.JoinHostPort(host, strconv.Itoa(port))})
		}
		return instances, nil
	}
}

// errNobody says that there is no edge to speak to.
var errNobody = errors.New("no replica of the edge is ready")

func (c *Client) instances(ctx context.Context) ([]Instance, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	all, err := c.cfg.Instances(ctx)
	if err == nil && len(all) == 0 {
		err = errNobody
	}
	if err != nil {
		return nil, fmt.Errorf("the edge's replicas: %w", err)
	}
	return all, nil
}
