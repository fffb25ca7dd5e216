package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/fault"
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

// Runner runs one experiment against one stack. Its methods are called one after the other.
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
}

// New reads where the stack answers and opens the fault's driver. It touches nothing.
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
	driver, err := fault.Open(options.Experiment, fault.Environment{Stack: stack, Metrics: metrics})
	if err != nil {
		return nil, err
	}
	r := &Runner{
		experiment: options.Experiment, stack: stack, driver: driver, metrics: metrics,
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

func (r *Runner) tell(kind Kind, format string, args ...any) {
	r.onEvent(Event{At: time.Now().UTC(), Kind: kind, Text: fmt.Sprintf(format, args...)})
}

// Prepare waits for the steady state, as long as the experiment says, and returns ErrNotSteady with what does not hold
// when it does not come. It returns ErrActive at once when another experiment is on record.
func (r *Runner) Prepare(ctx context.Context) error {
	if err := r.refuseSecond(); err != nil {
		return err
	}
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

// Inject breaks things, and returns the time at which it began to.
//
// That is Phase after a whole wall-clock second. The client counts in whole seconds; with a phase of 0 none of them lies
// half before the fault and half after it.
//
// The record is on disk before anything is touched. When the injection fails, or ctx ends while it goes on, what there
// is of the fault is taken away again.
func (r *Runner) Inject(ctx context.Context) (time.Time, error) {
	if err := r.refuseSecond(); err != nil {
		return time.Time{}, err
	}
	prepared, err := r.driver.Prepare(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("preparing the fault: %w", err)
	}
	at := time.Now().Add(lead + time.Second).Truncate(time.Second).Add(r.phase)
	record := Record{
		Experiment: r.experiment.Name, ID: uuid.NewString(), Fault: r.experiment.Fault.Kind, PID: os.Getpid(),
		StackStartedAt: r.stack.StartedAt, InjectedAt: at.UTC(), ExpiresAt: at.Add(r.duration).UTC(),
		DriverState: prepared, File: r.experiment.File(), Definition: string(r.experiment.Source()),
	}
	if err := createRecord(r.file, record); err != nil {
		return time.Time{}, err
	}
	r.record = record
	if err := sleep(ctx, time.Until(at)); err != nil {
		return time.Time{}, errors.Join(err, dropRecord(r.file, record.ID))
	}
	r.tell(Injecting, "injecting %s: %s", r.experiment.Fault.Kind, fault.Summary(r.experiment.Fault.Kind))
	injection, err := r.driver.Inject(ctx, prepared)
	r.record.DriverState, r.record.Affected, r.record.Injected = injection.State, injection.Affected, err == nil
	r.detail = injection.Detail
	if err == nil {
		err = replaceRecord(r.file, r.record)
	}
	if err != nil {
		return time.Time{}, errors.Join(fmt.Errorf("injecting %s: %w", r.experiment.Name, err), r.Restore(ctx))
	}
	return at.UTC(), nil
}

// Affected names the replicas that the injection hit, sorted.
func (r *Runner) Affected() []string { return r.record.Affected }

// StillPresent asks the world, not the record, whether the fault is there.
func (r *Runner) StillPresent(ctx context.Context) (fault.Presence, error) {
	if r.record.ID == "" {
		return fault.Presence{}, ErrNothingActive
	}
	return r.driver.StillPresent(ctx, r.record.DriverState)
}

// Restore takes away what is left of the fault and then the record. It may be repeated. It goes on, within a bound of
// its own, when ctx has ended: an interrupted experiment must not leave its fault behind.
func (r *Runner) Restore(ctx context.Context) error {
	if r.record.ID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreBound)
	defer cancel()
	if err := r.driver.Restore(ctx, r.record.DriverState); err != nil {
		return fmt.Errorf("the fault of %s could not be taken away: %w; try again with `chaos stop`, or end the stack with `make down`",
			r.record.Experiment, err)
	}
	return dropRecord(r.file, r.record.ID)
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
