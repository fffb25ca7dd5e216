package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

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

// Carrier is a driver whose fault is carried by the process that injected it: sessions that it keeps open, requests that it
// has sent. It ends with that process, so it cannot be kept.
type Carrier interface {
	// LetGo ends what this process carries and begins nothing more. It may be called at any time, from any goroutine.
	LetGo()
}

// Clearer is a driver whose fault can be stuck: Restore was refused, and what carries the fault may be given up instead.
type Clearer interface {
	// Clear gives up what Restore could not take away, provided that nothing has the fault any more.
	Clear(ctx context.Context, state State) error
}

// Watcher is a driver that has something to tell while its fault is watched.
type Watcher interface {
	// Watch tells what becomes of the fault, in words. It returns when there is nothing more to see, or when ctx ends.
	Watch(ctx context.Context, state State, tell func(text string))
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
	// ID is that of the run: whatever a driver leaves in the world bears it, so that it takes away only its own.
	ID string
	// Seed decides what a driver leaves to chance.
	Seed int64
	// TTL is how long the fault may live. What carries it is told to end by itself after this time, where it can be told.
	TTL time.Duration
	// Mesh opens the drivers of faults that need a mesh on Kubernetes (network, process-kill); nil refuses them there.
	Mesh func(experiment.Experiment, Environment) (Driver, error)
}

// chance gives the seed's random numbers.
func (e Environment) chance() *rand.Rand { return rand.New(rand.NewPCG(uint64(e.Seed), 1)) }

// database is the address of one of the stack's databases, straight to the server.
func (e Environment) database(name string) (string, error) {
	url := e.Stack.DatabaseURLs[name]
	if url == "" {
		return "", fmt.Errorf("the stack names no database of %s", name)
	}
	return url, nil
}

// shortID is the part of the run's id that is in names.
func (e Environment) shortID() string { return e.ID[:min(8, len(e.ID))] }

// kind is one sort of fault: check reads the parameters without a running system, open makes the driver.
type kind struct {
	summary string
	check   func(experiment.Experiment) error
	open    func(experiment.Experiment, Environment) (Driver, error)
}

// kinds is every fault there is. Each has its file here; each experiment has its page in docs/faults.
var kinds = map[string]kind{
	"bad-release": {
		summary: "a release that leaks connections on common input is rolled out",
		check:   checkBadRelease, open: openBadRelease,
	},
	"batch": {
		summary: "a batch that takes connections in turns, and gives them back",
		check:   checkBatch, open: openBatch,
	},
	"connection-leak": {
		summary: "orders with an expired coupon, whose refusal forgets to give the connection back",
		check:   checkConnectionLeak, open: openConnectionLeak,
	},
	"failing-downstream": {
		summary: "payments answers with errors",
		check:   checkFailingDownstream, open: openFailingDownstream,
	},
	"lock-contention": {
		summary: "a session locks the rows of a popular product and stays idle in its transaction",
		check:   checkLock, open: openLock,
	},
	"network": {
		summary: "toxics on the way between a service and its database",
		check:   checkNetwork, open: openNetwork,
	},
	"process-kill": {
		summary: "SIGKILL for one replica",
		check:   checkProcessKill, open: openProcessKill,
	},
	"server-cap": {
		summary: "foreign sessions take every slot of the database as it becomes free",
		check:   checkServerCap, open: openServerCap,
	},
	"slow-downstream": {
		summary: "payments takes longer to answer",
		check:   checkSlowDownstream, open: openSlowDownstream,
	},
	"slow-query": {
		summary: "long reports run through the service's own pool",
		check:   checkSlowQuery, open: openSlowQuery,
	},
	"traffic-surge": {
		summary: "more customers come",
		check:   checkSurge, open: openSurge,
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
	if environment.Metrics == nil || environment.ID == "" || environment.TTL <= 0 {
		return nil, errors.New("fault: Environment.Metrics, ID and TTL are needed")
	}
	driver, err := kinds[e.Fault.Kind].open(e, environment)
	if err != nil {
		return nil, fmt.Errorf("experiment %s: %w", e.Name, err)
	}
	return driver, nil
}
