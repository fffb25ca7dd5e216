package verify

import (
	"context"
	"fmt"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// Workloads reads the live state of a workload.
type Workloads interface {
	Workload(ctx context.Context, name string) (workload.Workload, error)
}

// ReadyReplicas lists the ready replicas of the edge's workload: those that requests are sent to.
func ReadyReplicas(from Workloads, name string) func(context.Context) ([]Instance, error) {
	return func(ctx context.Context) ([]Instance, error) {
		edge, err := from.Workload(ctx, name)
		if err != nil {
			return nil, err
		}
		var instances []Instance
		for _, r := range edge.Replicas {
			switch {
			case r.State != workload.Ready:
			case r.Address == "":
				return nil, fmt.Errorf("replica %s of %s is ready, but has no address", r.ID, name)
			default:
				instances = append(instances, Instance{ID: r.ID, URL: "http://" + r.Address + "/metrics"})
			}
		}
		return instances, nil
	}
}
