package ward

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/chaos/runner"
	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/e2e/stackrun"
	"github.com/faultline-lab/faultline/e2e/trial"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// endBound is how long an incident may take to end, whatever was done to the healer.
const endBound = 2 * time.Minute

// Ward is a stack with what a test needs to reach into it.
type Ward struct {
	Root    string
	Stack   endpoints.Stack
	Control target.Control

	store *store.Store
	// Since is when the healer was last given an empty store.
	Since time.Time
}

// Open starts a stack of the test's own, with further flags of the healer.
func Open(t *testing.T, portOffset string, healerFlags ...string) *Ward {
	t.Helper()
	root := looptest.Root(t)
	t.Setenv("FAULTLINE_PORT_OFFSET", portOffset)
	var args []string
	for _, flag := range healerFlags {
		args = append(args, "--healer-flag="+flag)
	}
	stack, err := stackrun.Ensure(t.Context(), stackrun.Config{Root: root, Args: args, Progress: looptest.Log{T: t}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Stop(); err != nil {
			t.Error(err)
		}
	})
	w := &Ward{Root: root, Stack: stack.Stack}
	if w.Control, err = target.Open(stack.Stack); err != nil {
		t.Fatal(err)
	}
	return w
}

// close lets go of the healer's store.
func (w *Ward) close() {
	if w.store != nil {
		_ = w.store.Close()
		w.store = nil
	}
}

// Fresh gives the stack a healer with an empty store.
func (w *Ward) Fresh(t *testing.T) {
	t.Helper()
	w.close()
	if err := trial.FreshHealer(t.Context(), w.Control, 1); err != nil {
		t.Fatal(err)
	}
	w.Since = time.Now().UTC().Truncate(time.Second)
	w.Read(t, w.flag(t, "--store="))
}

// Read has the ward look into a healer's file, until the test ends or the next healer is given an empty store.
func (w *Ward) Read(t *testing.T, file string) {
	t.Helper()
	var err error
	if w.store, err = store.Open(t.Context(), store.Config{Path: file}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
}

// Inject breaks the stack once it is well, and sees to it that the fault is taken away with the test. It returns the runner,
// to take it away earlier.
func (w *Ward) Inject(t *testing.T, name string, seed int64, window time.Duration) *runner.Runner {
	t.Helper()
	experiment, err := experiments.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	experiment.Hypothesis.Client.Within.Duration = time.Minute // the test before may have left a queue to be drained
	r, err := runner.New(runner.Options{
		Experiment: experiment, StackFile: filepath.Join(w.Root, endpoints.DefaultFile), Seed: seed, Duration: window,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	if err := r.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Restore(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	if _, err := r.Inject(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// Incidents reads the healer's own file, so that it can be asked while the healer is stopped or dead; oldest first.
func (w *Ward) Incidents(ctx context.Context) ([]incident.Incident, error) {
	all, err := w.store.List(ctx, w.Since)
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all, err
}

// everything is more than any test delivers.
const everything = 1 << 20

// Waiting reads the alerts that are on disk and belong to no incident yet.
func (w *Ward) Waiting(ctx context.Context) ([]incident.Alert, error) {
	return w.store.Waiting(ctx, everything)
}

// Audit reads what was done in an incident.
func (w *Ward) Audit(ctx context.Context, id string) ([]incident.Entry, error) {
	return w.store.Audit(ctx, id)
}

// AwaitEnd waits until there is an incident and every one has ended.
func (w *Ward) AwaitEnd(t *testing.T) []incident.Incident {
	t.Helper()
	var all []incident.Incident
	w.Await(t, "every incident to end", endBound, func() error {
		var err error
		if all, err = w.Incidents(t.Context()); err != nil {
			return err
		}
		if len(all) == 0 {
			return errors.New("there is none yet")
		}
		for _, in := range all {
			if in.State.Open() {
				return fmt.Errorf("incident %s is %s: %s", in.ID, in.State, in.Reason)
			}
		}
		return nil
	})
	return all
}

// Await asks again and again until there is no error, for as long as bound.
func (w *Ward) Await(t *testing.T, what string, bound time.Duration, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited %s for %s: %v", bound, what, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Healer is the healer's process.
func (w *Ward) Healer(t *testing.T) control.Replica {
	t.Helper()
	found, err := w.Control.Workload(t.Context(), "autoheal")
	if err != nil {
		t.Fatal(err)
	}
	for _, replica := range found.Replicas {
		if replica.State == control.Ready {
			return replica
		}
	}
	t.Fatalf("no healer is ready: %+v", found.Replicas)
	return control.Replica{}
}

// flag reads a flag of the running healer.
func (w *Ward) flag(t *testing.T, prefix string) string {
	t.Helper()
	for _, argument := range w.Command(t) {
		if value, ok := strings.CutPrefix(argument, prefix); ok {
			return value
		}
	}
	t.Fatalf("the healer was not given %s", prefix)
	return ""
}

// Command is how the healer was started.
func (w *Ward) Command(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", w.Healer(t).PID))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
}

// Environment is the healer's.
func (w *Ward) Environment(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", w.Healer(t).PID))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
}
