package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
)

// errStopped says that somebody stopped the experiment while it was being injected.
var errStopped = errors.New("stopped while it was being injected")

// needs collects what is wrong with the parameters of one experiment.
type needs struct {
	e        experiment.Experiment
	problems []error
}

// that notes a problem at a parameter's place in the file, unless it is right.
func (n *needs) that(right bool, key, message string) {
	if !right {
		n.problems = append(n.problems, n.e.ErrorAt("$.fault.parameters."+key, "%s: %s", key, message))
	}
}

func (n *needs) err() error { return errors.Join(n.problems...) }

// decode reads the state of a driver.
func decode[T any](encoded State) (T, error) {
	var state T
	if err := json.Unmarshal(encoded, &state); err != nil {
		return state, fmt.Errorf("the stored state of the fault cannot be read: %w", err)
	}
	return state, nil
}

// openMesh opens the driver of a fault that needs a mesh on Kubernetes.
func openMesh(e experiment.Experiment, env Environment) (Driver, error) {
	if env.Mesh == nil {
		return nil, fmt.Errorf("on Kubernetes the fault %s needs Chaos Mesh, which this program cannot reach", e.Fault.Kind)
	}
	return env.Mesh(e, env)
}

// until asks at each pollInterval until done says yes, and returns its last error, or what it said to be missing, when bound
// has passed.
func until(ctx context.Context, bound time.Duration, done func(context.Context) (missing string, err error)) error {
	deadline := time.Now().Add(bound)
	for {
		missing, err := done(ctx)
		switch {
		case err == nil && missing == "":
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(deadline) && err != nil:
			return err
		case time.Now().After(deadline):
			return fmt.Errorf("after %s %s", bound, missing)
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return err
		}
	}
}
