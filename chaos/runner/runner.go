package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/chaos/journal"
	"github.com/faultline-lab/faultline/chaos/mesh"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

const (
	// lead is the least time between writing the record and the injection.
	lead = 100 * time.Millisecond
	// restoreBound is how long taking the fault away may take, also when the caller's own context has ended.
	restoreBound = 90 * time.Second
	// steadyInterval is how often the steady state is looked at while it is waited for.
	steadyInterval = 250 * time.Millisecond
	// steadyTold is how often people are told what it is waited for.
	steadyTold = 5 * time.Second
	// ttlMargin is how much longer than its window a fault may live: enough for the way back of whoever injected it.
	ttlMargin = time.Minute
	// keptTTL is how long a kept fault may live.
	keptTTL = 15 * time.Minute
)

// ErrNotSteady says that the system was not well before the experiment, which would then prove nothing.
var ErrNotSteady = errors.New("not in its steady state, so the experiment would prove nothing")

// Options are what a run needs.
type Options struct {
	Experiment experiment.Experiment
	// StackFile is the file of the running stack (package endpoints); the records lie beside it.
	StackFile string
	// Duration is the observation window; 0 means the experiment's own.
	Duration time.Duration
	// Seed decides whatever is left to chance, so that a run can be repeated: the moment within a second at which the fault
	// begins (Phase), and what the driver chooses.
	Seed int64
	// Beside lets the experiment run beside others that are active. It then starts without a steady state, which theirs is
	// about to spoil; two runs of the same experiment are refused all the same.
	Beside bool
	// Keep leaves the fault where it is at the end of the window (Run only).
	Keep bool
	// Keeper is the program that keeps the fault's time to live (`chaos keep`); empty means the chaos program beside this
	// one, of the checkout, or on PATH.
	Keeper string
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
	Fault     Kind = "fault"   // something became of the fault
	Ending    Kind = "end"     // the window is over, or was cut short
	Restoring Kind = "restore" // the fault is taken away
	Verdict   Kind = "verdict" // whether the hypothesis held
)

// Runner runs one experiment against one stack. Its methods are called one after the other, Close last.
type Runner struct {
	experiment experiment.Experiment
	options    Options
	id         string
	stack      endpoints.Stack
	driver     fault.Driver
	metrics    fault.Metrics
	records    records
	onEvent    func(Event)
	record     Record
	detail     string // what the injection did
	unsure     bool   // the injection was cut off, so a record that is gone does not mean that nothing is there

	keeper  *keeper       // nil before the injection and after the way back
	guard   func()        // ends the look-out for whoever stops the experiment; nil when there is none
	stopped chan struct{} // closed when another process has stopped the experiment

	journal  *journal.Journal
	endWatch func(error, ...attribute.KeyValue) // nil unless the fault is being watched
}

// New reads where the stack answers and opens the fault's driver. It touches nothing. The caller closes the runner.
func New(options Options) (*Runner, error) { return open(options, uuid.NewString()) }

func open(options Options, id string) (*Runner, error) {
	if options.Experiment.Name == "" {
		return nil, errors.New("runner: Options.Experiment is missing")
	}
	if options.Duration == 0 {
		options.Duration = options.Experiment.Duration.Duration
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
	r := &Runner{
		experiment: options.Experiment, options: options, id: id, stack: stack, metrics: metrics, journal: told,
		records: recordsOf(options.StackFile), onEvent: options.OnEvent, stopped: make(chan struct{}),
	}
	r.driver, err = fault.Open(options.Experiment, fault.Environment{
		Stack: stack, Metrics: metrics, Transport: told.Transport, ID: id, Seed: options.Seed, TTL: options.timeToLive(),
		Mesh: openMesh,
	})
	if err == nil {
		err = r.refuseKeeping()
	}
	if err != nil {
		told.Close(context.Background())
		return nil, err
	}
	if r.onEvent == nil {
		r.onEvent = func(Event) {}
	}
	return r, nil
}

// openMesh opens the driver of a fault that Chaos Mesh carries.
func openMesh(e experiment.Experiment, env fault.Environment) (fault.Driver, error) {
	return mesh.Open(e, mesh.Run{Cluster: *env.Stack.Kubernetes, Transport: env.Transport, ID: env.ID, TTL: env.TTL})
}

// timeToLive is how long after the injection the fault is there at most.
func (o Options) timeToLive() time.Duration {
	ttl := o.Duration + ttlMargin
	if o.Keep {
		ttl = max(ttl, keptTTL)
	}
	return ttl
}

// refuseKeeping refuses to leave a fault behind that ends with this process.
func (r *Runner) refuseKeeping() error {
	if _, carried := r.driver.(fault.Carrier); carried && r.options.Keep {
		return fmt.Errorf("%s cannot be kept: its fault ends with the process that injected it; give it a longer --duration",
			r.experiment.Name)
	}
	return nil
}

// Phase is the moment within a wall-clock second at which the fault of a seed begins. A study has many seeds, so that its
// faults do not all meet Prometheus' scrapes and evaluations at the same moment of their cycle. Seed 0 begins on the second.
func Phase(seed int64) time.Duration {
	if seed == 0 {
		return 0
	}
	chance := rand.New(rand.NewPCG(uint64(seed), 0))
	return time.Duration(chance.Int64N(int64(time.Second))).Truncate(time.Millisecond)
}

// Close sends what is left of the experiment's trace and log records, within two seconds. Nothing depends on it.
func (r *Runner) Close() {
	r.unguard()
	r.watched(nil)
	r.journal.Close(context.Background())
}

func (r *Runner) tell(kind Kind, format string, args ...any) {
	r.onEvent(Event{At: time.Now().UTC(), Kind: kind, Text: fmt.Sprintf(format, args...)})
}

// Prepare waits for the steady state, as long as the experiment says, and returns ErrNotSteady with what does not hold
// when it does not come. It returns ErrActive at once when another experiment is on record. With Options.Beside neither of
// the two keeps it from starting: what does not hold is told.
func (r *Runner) Prepare(ctx context.Context) error {
	if err := r.refuse(); err != nil {
		return err
	}
	r.journal.Begin(ctx)
	ctx, end := r.journal.Step(ctx, journal.SteadyState)
	if r.options.Beside {
		for _, missing := range r.unmet(ctx) {
			r.tell(Steady, "not steady before the injection: %s", missing)
		}
		end(ctx.Err())
		return ctx.Err()
	}
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
	begun := time.Now()
	deadline, told := begun.Add(r.experiment.Hypothesis.Client.Within.Duration), begun
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
		if time.Since(told) >= steadyTold {
			told = time.Now()
			r.tell(Steady, "waiting for the steady state, %s of %s: %s", told.Sub(begun).Round(time.Second),
				r.experiment.Hypothesis.Client.Within, missing[0])
		}
		if err := sleep(ctx, steadyInterval); err != nil {
			return err
		}
	}
}

// refuse returns ErrActive when an experiment is on record beside which this one may not run.
func (r *Runner) refuse() error {
	active, err := r.records.of(r.stack.StartedAt)
	if err != nil {
		return err
	}
	for _, other := range active {
		same := other.Experiment == r.experiment.Name ||
			other.Fault == r.experiment.Fault.Kind && other.Workload == r.experiment.Scope.Workload
		switch {
		case same:
			return fmt.Errorf("%w: %s (%s on %s), injected %s by process %d; end it with `chaos stop`",
				ErrActive, other.Experiment, other.Fault, other.Workload, other.InjectedAt.Format(time.TimeOnly), other.PID)
		case !r.options.Beside:
			return fmt.Errorf("%w: %s, injected %s by process %d; end it with `chaos stop`, or run beside it with --beside",
				ErrActive, other.Experiment, other.InjectedAt.Format(time.TimeOnly), other.PID)
		}
	}
	return nil
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
