package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// ErrStale says that the start id in a request is not that of the child that runs now.
var ErrStale = errors.New("it was started anew since")

// Config is what a Process needs.
type Config struct {
	Spec    Spec
	Starter Starter
	NewID   func() string // makes start ids
	// OnChange is called with each new status, in order, from the process's own goroutine: it must not block. Optional.
	OnChange func(Status)
	// ProbeEvery is the pause between two questions for readiness; default 25 ms.
	ProbeEvery time.Duration
}

// Process keeps one child running. Create it with New, end it with Stop and Close.
type Process struct {
	cfg  Config
	asks chan ask
	quit chan struct{}
	done chan struct{}

	mu      sync.Mutex
	status  Status
	changed chan struct{} // closed and replaced at every change
}

// ask is one request to the process's goroutine.
type ask struct {
	input   input
	startID string // when not empty, the start id that must hold
	spec    *Spec  // when not nil, what to run from the next start on
	answer  chan error
}

// New returns a process that is stopped.
func New(cfg Config) (*Process, error) {
	if cfg.Starter == nil || cfg.NewID == nil {
		return nil, errors.New("process: a config needs starter and id maker")
	}
	if err := cfg.Spec.defaults(); err != nil {
		return nil, err
	}
	if cfg.ProbeEvery == 0 {
		cfg.ProbeEvery = 25 * time.Millisecond
	}
	p := &Process{
		cfg: cfg, asks: make(chan ask), quit: make(chan struct{}), done: make(chan struct{}),
		status: Status{State: Stopped}, changed: make(chan struct{}),
	}
	go newLoop(p).run()
	return p, nil
}

// newBackOff is the pause before a crashed process is started again: short at first, because most crashes are over at
// once and the callers are waiting, and at most 5 s.
func newBackOff() *backoff.ExponentialBackOff {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 100 * time.Millisecond
	pause.Multiplier = 2
	pause.MaxInterval = 5 * time.Second
	return pause
}

// Name is the name of its spec.
func (p *Process) Name() string { return p.cfg.Spec.Name }

// LogFile is where its output goes.
func (p *Process) LogFile() string { return p.cfg.Spec.LogFile }

// Status returns what is known now.
func (p *Process) Status() Status {
	status, _ := p.watch()
	return status
}

func (p *Process) watch() (Status, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status, p.changed
}

// Start asks for the process to run. It returns at once.
func (p *Process) Start() error { return p.ask(ask{input: start}) }

// Restart asks for an orderly end and a new start; it returns at once. When startID is not empty and not that of the
// child that runs now, nothing happens and the error is ErrStale.
func (p *Process) Restart(startID string) error {
	return p.ask(ask{input: restart, startID: startID})
}

// Replace is Restart with another spec, which holds from the next start on; name and log file stay.
func (p *Process) Replace(spec Spec) error {
	spec.Name, spec.LogFile = p.cfg.Spec.Name, p.cfg.Spec.LogFile
	if err := spec.defaults(); err != nil {
		return err
	}
	return p.ask(ask{input: restart, spec: &spec})
}

// Stop ends the process in order and waits until it has ended: at most its stop timeout, after which, or when ctx ends,
// the whole process group is killed.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.ask(ask{input: stop}); err != nil {
		return err
	}
	status, err := p.await(ctx, func(s Status) bool { return s.State != Stopping })
	if err != nil {
		if err := p.ask(ask{input: stopDue}); err != nil {
			return err
		}
		status, err = p.await(context.WithoutCancel(ctx), func(s Status) bool { return s.State != Stopping })
	}
	if err == nil && status.State != Stopped {
		return fmt.Errorf("%s: somebody started it again while it was being stopped", p.Name())
	}
	return err
}

// Close ends the process's goroutine. The process must be stopped before.
func (p *Process) Close() {
	close(p.quit)
	<-p.done
}

// AwaitReady waits until the process is ready. It fails when ctx ends, when the process is stopped meanwhile, or when it
// ended maxFailures times in a row without ever being ready.
func (p *Process) AwaitReady(ctx context.Context, maxFailures int) error {
	status, err := p.await(ctx, func(s Status) bool {
		return s.State == Ready || s.State == Stopped || s.Failures >= maxFailures
	})
	switch {
	case err != nil:
		return fmt.Errorf("%s is not ready: %w%s", p.Name(), err, because(status))
	case status.State == Ready:
		return nil
	case status.State == Stopped:
		return fmt.Errorf("%s was stopped before it was ready", p.Name())
	}
	return fmt.Errorf("%s ended %d times before it was ready%s", p.Name(), status.Failures, because(status))
}

func because(s Status) string {
	if s.LastEnd == "" {
		return ""
	}
	return ": " + s.LastEnd
}

func (p *Process) await(ctx context.Context, wanted func(Status) bool) (Status, error) {
	for {
		status, changed := p.watch()
		if wanted(status) {
			return status, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return status, context.Cause(ctx)
		}
	}
}

func (p *Process) ask(request ask) error {
	request.answer = make(chan error, 1)
	select {
	case p.asks <- request:
		return <-request.answer
	case <-p.done:
		return fmt.Errorf("%s: the supervisor no longer looks after it", p.Name())
	}
}

func (p *Process) publish(status Status) {
	p.mu.Lock()
	p.status = status
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	if p.cfg.OnChange != nil {
		p.cfg.OnChange(status)
	}
}
