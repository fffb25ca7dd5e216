package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// State is what a driver must know to find and take away its fault, as JSON: it outlives the process that injected.
type State = json.RawMessage

// Driver injects one fault and takes it away again. Every call but Inject may be repeated without harm.
type Driver interface {
	// Prepare looks at the world without touching it. Its state is stored before Inject begins, and must be enough
	// for StillPresent and Restore, wherever Inject is cut off.
	Prepare(ctx context.Context) (State, error)
	// Inject breaks things and returns when they are broken, with the state from then on. After an error the fault may
	// be there in part: Restore takes it away, given the state that came with the error.
	Inject(ctx context.Context, prepared State) (Injection, error)
	// StillPresent says whether the fault is there, and on whom. An error means that nobody can tell.
	StillPresent(ctx context.Context, state State) (Presence, error)
	// Restore takes away what is left of the fault, and nothing else.
	Restore(ctx context.Context, state State) error
}

// Injection is what Inject did.
type Injection struct {
	State    State
	Affected []string // the replicas that were hit, sorted
	Detail   string   // in words, with figures
}

// Presence is the answer of StillPresent.
type Presence struct {
	Present  bool     `json:"present"`
	Subjects []string `json:"subjects"` // the replicas that have it, sorted
	Detail   string   `json:"detail"`   // in words, with figures
}

// Metrics answers PromQL at this moment: one value per series.
type Metrics interface {
	Values(ctx context.Context, promql string) ([]float64, error)
}

// Environment is the running system, as drivers may reach it.
type Environment struct {
	Stack   endpoints.Stack
	Metrics Metrics
	// Transport wraps what a driver calls the shop and the supervisor with, so that these calls are in the experiment's
	// trace; nil wraps nothing.
	Transport target.Wrap
}

// kind is one sort of fault: check reads the parameters without a running system, open makes the driver.
type kind struct {
	summary string
	check   func(experiment.Experiment) error
	open    func(experiment.Experiment, Environment) (Driver, error)
}

// kinds is every fault there is. Each has its file here and its page in docs/faults.
var kinds = map[string]kind{
	"connection-leak": {
		summary: "orders with an expired coupon, whose refusal forgets to give the connection back",
		check:   checkConnectionLeak,
		open:    openConnectionLeak,
	},
}

// Kinds names the faults, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Summary is one line on what a kind does.
func Summary(name string) string { return kinds[name].summary }

// Check reads the fault of an experiment as strictly as its driver will, without a running system.
func Check(e experiment.Experiment) error {
	known, ok := kinds[e.Fault.Kind]
	if !ok {
		return e.ErrorAt("$.fault.kind", "unknown fault %q; there are: %s", e.Fault.Kind, strings.Join(Kinds(), ", "))
	}
	return known.check(e)
}

// Open makes the driver of an experiment's fault. It touches nothing yet.
func Open(e experiment.Experiment, environment Environment) (Driver, error) {
	if err := Check(e); err != nil {
		return nil, err
	}
	if environment.Metrics == nil {
		return nil, errors.New("fault: Environment.Metrics is missing")
	}
	driver, err := kinds[e.Fault.Kind].open(e, environment)
	if err != nil {
		return nil, fmt.Errorf("experiment %s: %w", e.Name, err)
	}
	return driver, nil
}
