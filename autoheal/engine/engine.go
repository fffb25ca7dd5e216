package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// Engine drives the open incidents, each in a goroutine of its own.
type Engine struct {
	cfg      Config
	remedies map[string]remedy.Remedy
	metrics  *metrics
	wake     chan struct{}
	storming atomic.Bool

	mu      sync.Mutex
	busy    map[string]bool // incidents that have a worker
	workers sync.WaitGroup
}

// New makes an engine. Every remedy that the playbook names must be given.
func New(cfg Config) (*Engine, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	e := &Engine{
		cfg: cfg, remedies: map[string]remedy.Remedy{}, wake: make(chan struct{}, 1), busy: map[string]bool{},
	}
	for _, r := range cfg.Remedies {
		e.remedies[r.Name()] = r
	}
	for _, cause := range cfg.Playbook.Causes() {
		for _, rung := range cfg.Playbook.Ladder(cause) {
			if e.remedies[rung.Remedy] == nil {
				return nil, fmt.Errorf("engine: the playbook names the remedy %q, which was not given", rung.Remedy)
			}
		}
	}
	m, err := newMetrics(cfg.Registerer, remedy.Names(cfg.Remedies))
	if err != nil {
		return nil, err
	}
	e.metrics = m
	return e, nil
}

// Wake makes the engine look at once. It never blocks.
func (e *Engine) Wake() {
	select {
	case e.wake <- struct{}{}:
	default: // a look is due already
	}
}

// Run works until the context ends, then waits for the workers. What they leave half done is resumed by the next run.
func (e *Engine) Run(ctx context.Context) error {
	defer e.workers.Wait()
	ticker := time.NewTicker(e.cfg.Tick)
	defer ticker.Stop()
	for {
		if err := e.sweep(ctx); err != nil && ctx.Err() == nil {
			e.cfg.Logger.ErrorContext(ctx, "looking for work failed; trying again at the next tick", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		case <-ticker.C:
		}
	}
}

// sweep gives waiting alerts to incidents, and every open incident a worker.
func (e *Engine) sweep(ctx context.Context) error {
	// Incidents that are open go on whatever is the matter with the alerts.
	intakeErr := e.intake(ctx)
	open, err := e.cfg.Store.Open(ctx)
	if err != nil {
		return errors.Join(intakeErr, err)
	}
	e.metrics.setOpen(open)
	if len(open) < max(1, e.cfg.Limits.Storm) {
		e.storming.Store(false)
	}
	for _, in := range open {
		e.start(ctx, in.ID)
	}
	return intakeErr
}

func (e *Engine) start(ctx context.Context, id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.busy[id] {
		return
	}
	e.busy[id] = true
	e.workers.Go(func() {
		defer func() {
			e.mu.Lock()
			delete(e.busy, id)
			e.mu.Unlock()
		}()
		e.drive(ctx, id)
	})
}

// drive takes one incident as far as it goes. After an error the next tick starts again from what is on disk.
func (e *Engine) drive(ctx context.Context, id string) {
	for ctx.Err() == nil {
		traced, err := e.driveOnce(ctx, id)
		switch {
		case err == nil:
			return
		case errors.Is(err, store.ErrMoreAlerts):
			// The incident may not end yet: look at it with the new alert.
			e.cfg.Logger.InfoContext(traced, "alerts joined at the last moment", "incident", id)
			pause(ctx, afterMoreAlerts)
		case errors.Is(err, store.ErrStale):
			e.cfg.Logger.WarnContext(traced, "another healer is at work on an incident; reading it again", "incident", id)
			pause(ctx, afterMoreAlerts)
		case ctx.Err() == nil:
			e.cfg.Logger.ErrorContext(traced, "an incident is stuck; trying again at the next tick", "incident", id, "error", err)
			return
		}
	}
}

// driveOnce also returns a context that leads to the incident's trace.
func (e *Engine) driveOnce(ctx context.Context, id string) (context.Context, error) {
	in, progress, err := e.cfg.Store.Load(ctx, id)
	if err != nil {
		return ctx, err
	}
	w := &work{Engine: e, in: in, progress: progress, since: e.cfg.Now()}
	ctx = w.withTrace(ctx)
	for w.in.State.Open() {
		if err := w.step(ctx); err != nil {
			return ctx, fmt.Errorf("%s: %w", w.in.State, err)
		}
		if ctx.Err() != nil {
			return ctx, ctx.Err()
		}
	}
	return ctx, nil
}

// stages is the table of contents: what is done in which state.
func (w *work) stages() map[incident.State]func(context.Context) error {
	return map[incident.State]func(context.Context) error{
		incident.Received:    w.look,
		incident.Diagnosed:   w.decide,
		incident.Awaiting:    w.await,
		incident.Decided:     w.act,
		incident.Acting:      w.act,
		incident.Verifying:   w.prove,
		incident.Stabilising: w.hold,
		incident.Holding:     w.holding,
		incident.Reverting:   w.undo,
	}
}
