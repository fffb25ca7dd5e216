package supervisor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/process"
)

// workload is one workload while the stack runs. Its goroutine (keep) is the only one that adds, removes and replaces
// replicas.
type workload struct {
	name string
	def  Workload
	sup  *Supervisor
	wake chan struct{}
	done chan struct{} // closed when keep has ended

	mu        sync.Mutex
	wanted    want
	lapse     *lapse               // how the number of replicas will end by itself; nil when it stays
	takenBack map[string]time.Time // by key, when a scale was taken back: a request for it may arrive after
	replicas  []*replica           // by ordinal

	restarts restarts
}

type replica struct {
	id      string
	ordinal int
	version string // of the child that runs or will run next; guarded by the workload's mutex
	process *process.Process
}

func newWorkload(name string, def Workload, sup *Supervisor) *workload {
	return &workload{
		name: name, def: def, sup: sup, wake: make(chan struct{}, 1), done: make(chan struct{}), takenBack: map[string]time.Time{},
	}
}

// keep brings the workload to what is wanted, again and again, until ctx ends.
func (w *workload) keep(ctx context.Context) {
	defer close(w.done)
	for {
		next := w.plan()
		if next.none() {
			select {
			case <-ctx.Done():
				return
			case <-w.wake:
				continue
			}
		}
		if ctx.Err() != nil {
			return
		}
		if err := w.carryOut(ctx, next); err != nil {
			w.sup.cfg.Log.ErrorContext(ctx, "workload cannot be changed", "workload", w.name, "error", err.Error())
			select { // what failed is tried again when something changes
			case <-ctx.Done():
				return
			case <-w.wake:
			}
		}
	}
}

func (w *workload) plan() steps {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := make([]have, 0, len(w.replicas))
	for _, r := range w.replicas {
		now = append(now, have{ordinal: r.ordinal, version: r.version, state: r.process.Status().State})
	}
	return plan(w.wanted, now)
}

func (w *workload) carryOut(ctx context.Context, next steps) error {
	var errs []error
	for _, ordinal := range next.add {
		errs = append(errs, w.add(ordinal))
	}
	errs = append(errs, w.removeAll(ctx, next.remove))
	if next.roll != 0 {
		errs = append(errs, w.roll(next.roll))
	}
	return errors.Join(errs...)
}

func (w *workload) add(ordinal int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := fmt.Sprintf("%s-%d", w.name, ordinal)
	spec, err := w.spec(id, ordinal, w.wanted.version)
	if err != nil {
		return err
	}
	made, err := process.New(process.Config{
		Spec: spec, Starter: w.sup.cfg.Starter, NewID: w.sup.cfg.NewID,
		OnChange: w.watch(id),
	})
	if err != nil {
		return err
	}
	w.replicas = append(w.replicas, &replica{id: id, ordinal: ordinal, version: w.wanted.version, process: made})
	slices.SortFunc(w.replicas, func(a, b *replica) int { return a.ordinal - b.ordinal })
	return made.Start()
}

// spec makes the spec of a replica, and its state folder.
func (w *workload) spec(id string, ordinal int, version string) (process.Spec, error) {
	state := filepath.Join(w.sup.cfg.StateDir, id)
	if err := os.MkdirAll(state, 0o700); err != nil {
		return process.Spec{}, err
	}
	spec := w.def.Spec(Replica{
		ID: id, Ordinal: ordinal, Version: version, Binary: w.def.Versions[version], StateDir: state,
	})
	spec.Name, spec.Dir, spec.LogFile = id, state, w.sup.logFile(id)
	return spec, nil
}

func (w *workload) removeAll(ctx context.Context, ordinals []int) error {
	// A stop that has begun is carried through within its own bound, also when the whole stack is being stopped.
	ctx = context.WithoutCancel(ctx)
	return each(ordinals, func(ordinal int) error {
		w.mu.Lock()
		at := slices.IndexFunc(w.replicas, func(r *replica) bool { return r.ordinal == ordinal })
		leaving := w.replicas[at]
		w.mu.Unlock()
		if err := leaving.process.Stop(ctx); err != nil {
			return err
		}
		leaving.process.Close()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.replicas = slices.DeleteFunc(w.replicas, func(r *replica) bool { return r == leaving })
		return nil
	})
}

func (w *workload) roll(ordinal int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := slices.IndexFunc(w.replicas, func(r *replica) bool { return r.ordinal == ordinal })
	changing := w.replicas[at]
	spec, err := w.spec(changing.id, ordinal, w.wanted.version)
	if err != nil {
		return err
	}
	changing.version = w.wanted.version
	return changing.process.Replace(spec)
}

// stop ends every replica; keep must have ended before. When ctx ends, they are killed.
func (w *workload) stop(ctx context.Context) error {
	return each(w.list(), func(r *replica) error {
		if err := r.process.Stop(ctx); err != nil {
			return err
		}
		r.process.Close()
		return nil
	})
}

func (w *workload) list() []*replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.replicas)
}

// watch returns what is told of each new status of one replica.
func (w *workload) watch(id string) func(process.Status) {
	var last process.Status
	return func(now process.Status) {
		w.restarts.add(last, now)
		if now.State == process.Crashed && last.State != process.Crashed {
			w.sup.cfg.Log.Warn("replica ended by itself", "workload", w.name, "replica", id, "how", now.LastEnd)
		}
		last = now
		w.nudge()
	}
}

func (w *workload) nudge() {
	select {
	case w.wake <- struct{}{}:
	default: // it is awake already
	}
}

func (w *workload) setVersion(version string) error {
	if w.def.Versions[version] == "" {
		there := strings.Join(slices.Sorted(maps.Keys(w.def.Versions)), ", ")
		return fmt.Errorf("%w: %s has no version %q: there is %s", ErrInvalid, w.name, version, there)
	}
	return w.change(func(wanted *want) { wanted.version = version })
}

func (w *workload) change(by func(*want)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.begun() {
		return fmt.Errorf("%w: %s is not started yet: wait until the stack is ready", ErrConflict, w.name)
	}
	by(&w.wanted)
	w.nudge()
	return nil
}

// begun says whether the workload's turn to start has come. The caller holds the mutex.
func (w *workload) begun() bool { return w.wanted.version != "" }

// restart returns the process that is being started anew.
func (w *workload) restart(id, startID string) (*process.Process, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := slices.IndexFunc(w.replicas, func(r *replica) bool { return r.id == id })
	if at < 0 {
		return nil, fmt.Errorf("%w: %s has no replica %s: `stack status` lists them", ErrNotFound, w.name, id)
	}
	chosen := w.replicas[at]
	if chosen.ordinal > w.wanted.replicas {
		return nil, fmt.Errorf("%w: %s is being removed", ErrConflict, id)
	}
	if err := chosen.process.Restart(startID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return chosen.process, nil
}

// wipe removes the working files of all replicas, those of earlier ones included.
func (w *workload) wipe() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wanted.replicas > 0 || len(w.replicas) > 0 {
		return fmt.Errorf("%w: %s still runs: scale it to 0 and wait until it has no replicas", ErrConflict, w.name)
	}
	for ordinal := 1; ordinal <= w.def.Max; ordinal++ {
		if err := os.RemoveAll(filepath.Join(w.sup.cfg.StateDir, fmt.Sprintf("%s-%d", w.name, ordinal))); err != nil {
			return err
		}
	}
	return nil
}
