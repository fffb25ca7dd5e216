package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/target"
)

func checkProcessKill(e experiment.Experiment) error {
	var none struct{}
	return e.Fault.Parameters.Decode(&none)
}

// processKill ends one replica without a warning. Whoever supervises it starts it anew: nothing has to be taken away.
type processKill struct {
	workload string
	env      Environment
	control  target.Control
}

func openProcessKill(e experiment.Experiment, env Environment) (Driver, error) {
	if env.Stack.Kubernetes != nil {
		return openMesh(e, env)
	}
	supervisor, err := target.OpenThrough(env.Stack, env.Transport)
	if err != nil {
		return nil, err
	}
	return &processKill{e.Scope.Workload, env, supervisor}, nil
}

// killState is the start of the replica that is killed.
type killState struct {
	Replica string `json:"replica"`
	StartID string `json:"start_id"`
	Killed  bool   `json:"killed"` // false when the injection was cut off: then nobody can tell
}

// Prepare chooses one of the replicas that serve; the seed decides.
func (k *processKill) Prepare(ctx context.Context) (State, error) {
	workload, err := k.control.Workload(ctx, k.workload)
	if err != nil {
		return nil, err
	}
	ready := slices.DeleteFunc(slices.Clone(workload.Replicas), func(r control.Replica) bool { return r.State != control.Ready || r.PID <= 0 })
	if len(ready) == 0 {
		return nil, fmt.Errorf("no replica of %s is ready: there is nothing to kill", k.workload)
	}
	slices.SortFunc(ready, func(a, b control.Replica) int { return strings.Compare(a.ID, b.ID) })
	chosen := ready[k.env.chance().IntN(len(ready))]
	return json.Marshal(killState{Replica: chosen.ID, StartID: chosen.StartID})
}

// Inject sends SIGKILL to the process of that start, and to no other that may have its number by now: the process is taken
// hold of first, and then the supervisor is asked whether it still is that start.
func (k *processKill) Inject(ctx context.Context, prepared State) (Injection, error) {
	injection := Injection{State: prepared}
	state, err := decode[killState](prepared)
	if err != nil {
		return injection, err
	}
	before, err := k.replica(ctx, state)
	if err != nil {
		return injection, err
	}
	process, err := os.FindProcess(before.PID)
	if err != nil {
		return injection, err
	}
	defer func() { _ = process.Release() }()
	now, err := k.replica(ctx, state)
	if err != nil {
		return injection, err
	}
	if now.PID != before.PID {
		return injection, fmt.Errorf("%s was process %d and is %d now: somebody restarted it", state.Replica, before.PID, now.PID)
	}
	if err := process.Kill(); err != nil {
		return injection, fmt.Errorf("killing %s (process %d): %w", state.Replica, now.PID, err)
	}
	state.Killed = true
	injection.State, err = json.Marshal(state)
	injection.Affected = []string{state.Replica}
	injection.Detail = fmt.Sprintf("%s (process %d) was killed", state.Replica, now.PID)
	return injection, err
}

// replica reads the replica, provided that it is still the start that was chosen.
func (k *processKill) replica(ctx context.Context, state killState) (control.Replica, error) {
	workload, err := k.control.Workload(ctx, k.workload)
	if err != nil {
		return control.Replica{}, err
	}
	replica, ok := workload.Replica(state.Replica)
	if !ok || replica.StartID != state.StartID {
		return control.Replica{}, fmt.Errorf("%s has been restarted meanwhile", state.Replica)
	}
	if replica.PID <= 0 {
		return control.Replica{}, errors.New("the supervisor names no process of " + state.Replica)
	}
	return replica, nil
}

// StillPresent says whether the replica is away.
func (k *processKill) StillPresent(ctx context.Context, encoded State) (Presence, error) {
	state, err := decode[killState](encoded)
	if err != nil {
		return Presence{}, err
	}
	workload, err := k.control.Workload(ctx, k.workload)
	if err != nil {
		return Presence{}, err
	}
	replica, ok := workload.Replica(state.Replica)
	switch {
	case !ok: // scaled away meanwhile
		return Presence{Subjects: []string{}, Detail: state.Replica + " is no longer wanted"}, nil
	case replica.State == control.Ready && replica.StartID == state.StartID && state.Killed:
		replica.State = "dead, which its supervisor has yet to notice"
	case replica.State == control.Ready && replica.StartID == state.StartID:
		return Presence{Subjects: []string{}, Detail: state.Replica + " was not killed"}, nil
	case replica.State == control.Ready:
		return Presence{Subjects: []string{}, Detail: state.Replica + " is back"}, nil
	}
	return Presence{Present: true, Subjects: []string{state.Replica}, Detail: state.Replica + " is " + replica.State}, nil
}

// noticeBound is how long a supervisor may take to see that a process of its own has died.
const noticeBound = 500 * time.Millisecond

// Restore waits until the replica is back, which its supervisor sees to. After an injection that was cut off nobody knows
// whether the replica was killed, and it may look well because its supervisor has not seen it yet: it must do so for a while.
func (k *processKill) Restore(ctx context.Context, encoded State) error {
	state, err := decode[killState](encoded)
	if err != nil {
		return err
	}
	began := time.Now()
	return until(ctx, readyBound, func(ctx context.Context) (string, error) {
		presence, err := k.StillPresent(ctx, encoded)
		switch {
		case err != nil:
			return "", err
		case !presence.Present && !state.Killed && time.Since(began) < noticeBound:
			return state.Replica + " may have been killed a moment ago", nil
		case !presence.Present:
			return "", nil
		}
		return presence.Detail, nil
	})
}
