package supervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/sync/errgroup"

	"github.com/faultline-lab/faultline/deploy/local/process"
)

// The kinds of refusal; the text of an error says what was refused and why.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("conflict")
	ErrInvalid  = errors.New("not possible")
)

// Phase says how far a part has come.
type Phase string

// The phases.
const (
	PhaseStarting Phase = "starting"
	PhaseReady    Phase = "ready"
	PhaseFailed   Phase = "failed"
	PhaseStopped  Phase = "stopped"
)

// Progress is one step of one part.
type Progress struct {
	Part  string
	Phase Phase
	Took  time.Duration // since the part began to start or stop
}

// Config is what a Supervisor needs.
type Config struct {
	Parts   []Part
	Starter process.Starter
	NewID   func() string // makes start ids
	// StateDir and LogDir exist; each process has a folder, and a file, of its name in them.
	StateDir, LogDir string
	// Progress is called by several goroutines at a time. Optional.
	Progress func(Progress)
	Log      *slog.Logger
	// ReadyTimeout is how long one part may take; default 60 s.
	ReadyTimeout time.Duration
	// MaxFailures is how often in a row a process may end before it was ever ready; default 3.
	MaxFailures int
	// Traces and Metrics take what the supervisor does; default: nobody.
	Traces  trace.TracerProvider
	Metrics metric.MeterProvider
}

// Supervisor runs the parts. Create it with New, then Start once and Stop once.
type Supervisor struct {
	cfg       Config
	optional  map[string]bool
	processes map[string]*process.Process
	workloads map[string]*workload

	tracer     trace.Tracer
	keepers    context.Context // ends when the workloads are not to be kept any more
	endKeepers context.CancelFunc
	keeping    sync.WaitGroup
}

func (c *Config) defaults() error {
	if c.Starter == nil || c.NewID == nil || c.Log == nil || c.StateDir == "" || c.LogDir == "" {
		return errors.New("supervisor: a config needs starter, id maker, log, state folder and log folder")
	}
	if c.ReadyTimeout == 0 {
		c.ReadyTimeout = time.Minute
	}
	if c.MaxFailures == 0 {
		c.MaxFailures = 3
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	if c.Traces == nil {
		c.Traces = tracenoop.NewTracerProvider()
	}
	if c.Metrics == nil {
		c.Metrics = metricnoop.NewMeterProvider()
	}
	return validateAll(c.Parts)
}

// New checks the parts and prepares them; nothing runs yet.
func New(cfg Config) (*Supervisor, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	s := &Supervisor{
		cfg: cfg, optional: map[string]bool{}, tracer: cfg.Traces.Tracer(scope),
		processes: map[string]*process.Process{}, workloads: map[string]*workload{},
	}
	s.keepers, s.endKeepers = context.WithCancel(context.Background())
	for _, part := range cfg.Parts {
		s.optional[part.Name] = part.Optional
		if part.Workload != nil {
			s.workloads[part.Name] = newWorkload(part.Name, *part.Workload, s)
		}
		if part.Process == nil {
			continue
		}
		spec := *part.Process
		spec.Name, spec.LogFile = part.Name, s.logFile(part.Name)
		made, err := process.New(process.Config{Spec: spec, Starter: cfg.Starter, NewID: cfg.NewID})
		if err != nil {
			return nil, err
		}
		s.processes[part.Name] = made
	}
	return s, s.measure(cfg.Metrics.Meter(scope))
}

func (s *Supervisor) logFile(name string) string {
	return filepath.Join(s.cfg.LogDir, name+".log")
}

// Start starts the parts, each as soon as those it needs are ready, and returns when all are. After an error the caller
// has to Stop what has started. The error of a process that does not get ready ends with the last lines of its log.
func (s *Supervisor) Start(ctx context.Context) error {
	s.keeping.Go(func() { s.keepLogsSmall(s.keepers) })
	return forward(ctx, s.cfg.Parts, func(ctx context.Context, part Part) error {
		began := time.Now()
		if !part.Optional {
			s.cfg.Progress(Progress{Part: part.Name, Phase: PhaseStarting})
		}
		err := s.startPart(ctx, part)
		if part.Optional && err == nil {
			s.keeping.Go(func() { s.mentionWhenReady(part.Name, began) })
			return nil
		}
		phase := PhaseReady
		if err != nil {
			phase = PhaseFailed
		}
		s.cfg.Progress(Progress{Part: part.Name, Phase: phase, Took: time.Since(began)})
		return err
	})
}

// mentionWhenReady is for a part that nobody waits for.
func (s *Supervisor) mentionWhenReady(name string, began time.Time) {
	phase := PhaseReady
	if err := s.processes[name].AwaitReady(s.keepers, s.cfg.MaxFailures); err != nil {
		if s.keepers.Err() != nil {
			return
		}
		phase = PhaseFailed // it is tried again and again; its log says why
		s.cfg.Log.Warn("optional part is not ready", "part", name, "error", err.Error())
	}
	s.cfg.Progress(Progress{Part: name, Phase: phase, Took: time.Since(began)})
}

func (s *Supervisor) startPart(ctx context.Context, part Part) error {
	timeout := fmt.Errorf("%s did not get ready within %s", part.Name, s.cfg.ReadyTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, s.cfg.ReadyTimeout, timeout)
	defer cancel()
	switch {
	case part.Task != nil:
		if err := part.Task(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.Name, err)
		}
		return nil
	case part.Workload != nil:
		return s.startWorkload(ctx, s.workloads[part.Name])
	}
	if err := os.MkdirAll(filepath.Join(s.cfg.StateDir, part.Name), 0o700); err != nil {
		return err
	}
	started := s.processes[part.Name]
	if err := started.Start(); err != nil || part.Optional {
		return err
	}
	return s.awaitReady(ctx, started)
}

func (s *Supervisor) startWorkload(ctx context.Context, w *workload) error {
	w.mu.Lock()
	w.wanted = want{replicas: w.def.Replicas, version: w.def.Version}
	w.mu.Unlock()
	for ordinal := 1; ordinal <= w.def.Replicas; ordinal++ {
		if err := w.add(ordinal); err != nil {
			return err
		}
	}
	s.keeping.Go(func() { w.keep(s.keepers) })
	return each(w.list(), func(r *replica) error { return s.awaitReady(ctx, r.process) })
}

func (s *Supervisor) awaitReady(ctx context.Context, p *process.Process) error {
	if err := p.AwaitReady(ctx, s.cfg.MaxFailures); err != nil {
		return fmt.Errorf("%w\n%s", err, lastLines(p.LogFile()))
	}
	return nil
}

// Stop stops the parts, each as soon as those that need it have stopped. When ctx ends, what is left is killed. Nothing
// may change the workloads any more when it is called.
func (s *Supervisor) Stop(ctx context.Context) error {
	s.endKeepers()
	s.keeping.Wait()
	// Every part is to be tried, so that one that cannot be stopped leaves no other behind.
	var mu sync.Mutex
	var errs []error
	_ = backward(context.WithoutCancel(ctx), s.cfg.Parts, func(_ context.Context, part Part) error {
		began := time.Now()
		stopped, err := s.stopPart(ctx, part)
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, fmt.Errorf("stop %s: %w", part.Name, err))
		}
		if stopped && err == nil {
			s.cfg.Progress(Progress{Part: part.Name, Phase: PhaseStopped, Took: time.Since(began)})
		}
		return nil
	})
	return errors.Join(errs...)
}

// stopPart says whether there was anything to stop.
func (s *Supervisor) stopPart(ctx context.Context, part Part) (bool, error) {
	if w, ok := s.workloads[part.Name]; ok {
		return len(w.list()) > 0, w.stop(ctx)
	}
	running, ok := s.processes[part.Name]
	if !ok {
		return false, nil
	}
	was := running.Status().State
	err := running.Stop(ctx)
	if err == nil {
		running.Close()
	}
	return was != process.Stopped, err
}

// each runs do for all values at the same time and returns the first error.
func each[T any](values []T, do func(T) error) error {
	var group errgroup.Group
	for _, value := range values {
		group.Go(func() error { return do(value) })
	}
	return group.Wait()
}
