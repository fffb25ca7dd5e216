package runner

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/chaos/journal"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

const (
	// lead is the least time between writing the record and the injection.
	lead = 100 * time.Millisecond
	// restoreBound is how long taking the fault away may take, also when the caller's own context has ended.
	restoreBound = 90 * time.Second
	// steadyInterval is how often the steady state is looked at while it is waited for.
	steadyInterval = 250 * time.Millisecond
)

// ErrNotSteady says that the system was not well before the experiment, which would then prove nothing.
var ErrNotSteady = errors.New("not in its steady state, so the experiment would prove nothing")

// Options are what a run needs.
type Options struct {
	Experiment experiment.Experiment
	// StackFile is the file of the running stack (package endpoints); the record lies beside it.
	StackFile string
	// Duration is the observation window; 0 means the experiment's own.
	Duration time.Duration
	// Phase is where in a wall-clock second the fault begins: at least 0, less than 1 s. A study varies it, so that its
	// faults do not all meet Prometheus at the same moment of its cycle.
	Phase time.Duration
	// Keep leaves the fault where it is at the end of the window (Run only).
	Keep bool
	// OnEvent hears what happens as it happens (Run and Inject); it must not block. Nil means nobody listens.
	OnEvent func(Event)
}

// Event is something that happened, in words for people.
type Event struct {
	At   time.Time
	Kind Kind
	Text string
}

// Kind sorts events.
type Kind string

// The kinds of events.
const (
	Steady    Kind = "steady"  // the steady state was checked
	Injecting Kind = "inject"  // the injection begins, or is done
	Client    Kind = "client"  // the client's view changed
	Ending    Kind = "end"     // the window is over, or was cut short
	Restoring Kind = "restore" // the fault is taken away
	Verdict   Kind = "verdict" // whether the hypothesis held
)

// Runner runs one experiment against one stack. Its methods are called one after the other, Close last.
type Runner struct {
	experiment experiment.Experiment
	stack      endpoints.Stack
	driver     fault.Driver
	metrics    fault.Metrics
	file       string
	duration   time.Duration
	phase      time.Duration
	keep       bool
	onEvent    func(Event)
	record     Record
	detail     string // what the injection did

	journal  *journal.Journal
	endWatch func(error, ...attribute.KeyValue) // nil unless the fault is being watched
}

// New reads where the stack answers and opens the fault's driver. It touches nothing. The caller closes the runner.
func New(options Options) (*Runner, error) {
	if options.Experiment.Name == "" {
		return nil, errors.New("runner: Options.Experiment is missing")
	}
	if options.Phase < 0 || options.Phase >= time.Second {
		return nil, fmt.Errorf("runner: Options.Phase is %s: at least 0 and less than 1 s", options.Phase)
	}
	stack, err := endpoints.Read(options.StackFile)
	if err != nil {
		return nil, err
	}
	metrics, err := newMetrics(stack.Endpoints.Prometheus)
	if err != nil {
		return nil, err
	}
	told, err := journal.Open(context.Background(), stack, journal.About{
		Experiment: options.Experiment.Name, Fault: options.Experiment.Fault.Kind, Target: stack.Target,
	})
	if err != nil {
		return nil, err
	}
	driver, err := fault.Open(options.Experiment, fault.Environment{Stack: stack, Metrics: metrics, Transport: told.Transport})
	if err != nil {
		told.Close(context.Background())
		return nil, err
	}
	r := &Runner{
		experiment: options.Experiment, stack: stack, driver: driver, metrics: metrics, journal: told,
		file:     filepath.Join(filepath.Dir(options.StackFile), RecordFile),
		duration: options.Duration, phase: options.Phase, keep: options.Keep, onEvent: options.OnEvent,
	}
	if r.duration == 0 {
		r.duration = options.Experiment.Duration.Duration
	}
	if r.onEvent == nil {
		r.onEvent = func(Event) {}
	}
	return r, nil
}

// Close sends what is left of the experiment's trace and log records, within two seconds. Nothing depends on it.
func (r *Runner) Close() {
	r.watched(nil)
	r.journal.Close(context.Background())
}

func (r *Runner) tell(kind Kind, format string, args ...any) {
	r.onEvent(Event{At: time.Now().UTC(), Kind: kind, Text: fmt.Sprintf(format, args...)})
}

// Prepare waits for the steady state, as long as the experiment says, and returns ErrNotSteady with what does not hold
// when it does not come. It returns ErrActive at once when another experiment is on record.
func (r *Runner) Prepare(ctx context.Context) error {
	if err := r.refuseSecond(); err != nil {
		return err
	}
	r.journal.Begin(ctx)
	ctx, end := r.journal.Step(ctx, journal.SteadyState)
	err := r.waitUntilSteady(ctx)
	switch {
	case errors.Is(err, ErrNotSteady):
		r.journal.Note(ctx, journal.Refused, err.Error())
		r.journal.End(string(journal.Refused))
	case err == nil:
		r.journal.Note(ctx, journal.Steady, "")
	}
	end(err)
	return err
}

func (r *Runner) waitUntilSteady(ctx context.Context) error {
	deadline := time.Now().Add(r.experiment.Hypothesis.Client.Within.Duration)
	for {
		missing := r.unmet(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(missing) == 0 {
			r.tell(Steady, "steady state: %d conditions hold, %d good client seconds running",
				len(r.experiment.Hypothesis.SteadyState), r.experiment.Hypothesis.Client.GoodSeconds)
			return nil
		}
		if !time.Now().Before(deadline) {
			return fmt.Errorf("%w:\n  - %s", ErrNotSteady, strings.Join(missing, "\n  - "))
		}
		if err := sleep(ctx, steadyInterval); err != nil {
			return err
		}
	}
}

// refuseSecond returns ErrActive when there is a record of this stack. The record of an earlier stack is dropped: its
// fault ended with it.
func (r *Runner) refuseSecond() error {
	record, err := readRecord(r.file)
	switch {
	case errors.Is(err, ErrNothingActive):
		return nil
	case err != nil:
		return err
	case record.StackStartedAt.Equal(r.stack.StartedAt):
		return activeError(r.file)
	default:
		return dropRecord(r.file, record.ID)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
