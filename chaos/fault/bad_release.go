package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/target"
)

// rolloutBound is how long a rollout may take, image pulls on a cluster included.
const rolloutBound = 2 * time.Minute

// releaseParameters are the fault's keys in the experiment file.
type releaseParameters struct {
	Version string `yaml:"version"` // the bad one
}

func checkBadRelease(e experiment.Experiment) error {
	_, err := readReleaseParameters(e)
	return err
}

func readReleaseParameters(e experiment.Experiment) (releaseParameters, error) {
	var p releaseParameters
	if err := e.Fault.Parameters.Decode(&p); err != nil {
		return p, err
	}
	need := needs{e: e}
	need.that(p.Version != "", "version", "the version that is rolled out, for example v2")
	return p, need.err()
}

// badRelease rolls out a version, in the ordinary way.
type badRelease struct {
	workload string
	version  string
	control  target.Control
}

func openBadRelease(e experiment.Experiment, env Environment) (Driver, error) {
	parameters, err := readReleaseParameters(e)
	if err != nil {
		return nil, err
	}
	versions, err := target.OpenThrough(env.Stack, env.Transport)
	if err != nil {
		return nil, err
	}
	return &badRelease{e.Scope.Workload, parameters.Version, versions}, nil
}

// releaseState is the version that was.
type releaseState struct {
	Before  string `json:"before"`
	Version string `json:"version"`
}

// Prepare notes the version that runs.
func (b *badRelease) Prepare(ctx context.Context) (State, error) {
	workload, err := b.control.Workload(ctx, b.workload)
	if err != nil {
		return nil, err
	}
	if workload.Version == b.version || len(b.live(workload)) > 0 {
		return nil, fmt.Errorf("%s runs version %s already: roll it back first", b.workload, b.version)
	}
	if len(workload.Versions) > 0 && !slices.Contains(workload.Versions, b.version) {
		return nil, fmt.Errorf("%s has no version %s; there are: %s: `make build` makes them",
			b.workload, b.version, strings.Join(workload.Versions, ", "))
	}
	return json.Marshal(releaseState{Before: workload.Version, Version: b.version})
}

// live names the replicas of the bad version.
func (b *badRelease) live(workload control.Workload) []string {
	ids := []string{}
	for _, replica := range workload.Replicas {
		if replica.Version == b.version && replica.State != control.Stopped {
			ids = append(ids, replica.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// Inject rolls the version out and returns when every replica runs it.
func (b *badRelease) Inject(ctx context.Context, prepared State) (Injection, error) {
	injection := Injection{State: prepared}
	if err := b.control.SetVersion(ctx, b.workload, b.version); err != nil {
		return injection, err
	}
	workload, err := b.rolledOut(ctx, b.version)
	injection.Affected = b.live(workload)
	injection.Detail = fmt.Sprintf("version %s runs on %s", b.version, strings.Join(injection.Affected, ", "))
	return injection, err
}

// rolledOut waits until all replicas that are wanted are ready, and of that version.
func (b *badRelease) rolledOut(ctx context.Context, version string) (control.Workload, error) {
	var workload control.Workload
	err := until(ctx, rolloutBound, func(ctx context.Context) (string, error) {
		found, err := b.control.Workload(ctx, b.workload)
		if err != nil {
			return "", err
		}
		workload = found
		ready := 0
		for _, replica := range found.Replicas {
			switch {
			case replica.State == control.Stopped:
			case replica.Version != version:
				return fmt.Sprintf("%s still runs version %s", replica.ID, replica.Version), nil
			case replica.State == control.Ready:
				ready++
			}
		}
		if ready < found.Desired {
			return fmt.Sprintf("%d of %d replicas of %s are ready with version %s", ready, found.Desired, b.workload, version), nil
		}
		return "", nil
	})
	return workload, err
}

// StillPresent looks for replicas of the version, whether or not anybody sends them customers.
func (b *badRelease) StillPresent(ctx context.Context, _ State) (Presence, error) {
	workload, err := b.control.Workload(ctx, b.workload)
	if err != nil {
		return Presence{}, err
	}
	live := b.live(workload)
	if len(live) == 0 && workload.Version != b.version {
		return Presence{Subjects: []string{}, Detail: fmt.Sprintf("%s runs version %s", b.workload, workload.Version)}, nil
	}
	return Presence{Present: true, Subjects: live, Detail: fmt.Sprintf("version %s runs on %d replicas", b.version, len(live))}, nil
}

// Restore rolls out the version that was, unless somebody did that already.
func (b *badRelease) Restore(ctx context.Context, encoded State) error {
	state, err := decode[releaseState](encoded)
	if err != nil {
		return err
	}
	workload, err := b.control.Workload(ctx, b.workload)
	if err != nil {
		return err
	}
	if workload.Version == state.Version {
		if err := b.control.SetVersion(ctx, b.workload, state.Before); err != nil {
			return err
		}
	}
	return until(ctx, rolloutBound, func(ctx context.Context) (string, error) {
		workload, err := b.control.Workload(ctx, b.workload)
		if err != nil {
			return "", err
		}
		if live := b.live(workload); len(live) > 0 {
			return fmt.Sprintf("version %s still runs on %s", b.version, strings.Join(live, ", ")), nil
		}
		return "", nil
	})
}
