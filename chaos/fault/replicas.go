package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/target"
)

// replicas asks each replica of a workload for the same thing.
type replicas struct {
	workload string
	control  target.Control
}

// replicasThat opens those of an experiment's scope.
func replicasThat(e experiment.Experiment, env Environment) (replicas, error) {
	opened, err := target.OpenThrough(env.Stack, env.Transport)
	return replicas{e.Scope.Workload, opened}, err
}

func (r replicas) ask(ctx context.Context, replica control.Replica, method, path string, body, into any) error {
	return r.control.Ask(ctx, r.workload, replica, method, path, body, into)
}

// each calls do with every replica that serves.
func (r replicas) each(ctx context.Context, do func(control.Replica) error) error {
	workload, err := r.control.Workload(ctx, r.workload)
	if err != nil {
		return err
	}
	var problems []error
	for _, replica := range workload.Replicas {
		if replica.State != control.Ready {
			continue // what it was asked for ends with its process
		}
		if err := do(replica); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", replica.ID, err))
		}
	}
	return errors.Join(problems...)
}

// settings reads the setting at a path of every replica that serves, by replica.
func settings[T any](ctx context.Context, r replicas, path string) (map[string]T, error) {
	found := map[string]T{}
	err := r.each(ctx, func(replica control.Replica) error {
		var setting T
		err := r.ask(ctx, replica, http.MethodGet, path, nil, &setting)
		found[replica.ID] = setting
		return err
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("no replica of %s is ready", r.workload)
	}
	return found, err
}
