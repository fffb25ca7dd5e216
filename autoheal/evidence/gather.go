package evidence

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// Scope says what to gather evidence about.
type Scope struct {
	// Workloads is the whole group that hangs together, not only those that alerted.
	Workloads []string
	Round     int
	// live is set by the gatherer, which asks for the list beside the other sources.
	live roll
}

// roll waits for the list of all live workloads; nil where nobody has asked for it.
type roll func() ([]workload.Workload, error)

// Live are all live workloads, of the scope or not; none where nobody has asked for the list.
func (s Scope) Live() ([]workload.Workload, error) {
	if s.live == nil {
		return nil, nil
	}
	return s.live()
}

// Collector asks one source. It answers with facts; what it could not get, it says in unknown facts.
type Collector interface {
	Source() string
	Collect(ctx context.Context, scope Scope) []incident.Fact
}

// Corroborator is a collector on which nothing hangs: it is waited for a moment only, once all others have answered.
type Corroborator interface {
	Collector
	Corroborates()
}

// Lister lists the live workloads.
type Lister interface {
	Workloads(ctx context.Context) ([]workload.Workload, error)
}

// EdgeReader reads how the edge treats checkouts.
type EdgeReader interface {
	State(ctx context.Context) (*edge.State, error)
}

// Gathering is what one look brought.
type Gathering struct {
	At    time.Time
	Facts Facts
	// Workloads are the live workloads of the scope; nil when they could not be listed.
	Workloads []workload.Workload
	// Edge is how the edge treats checkouts; nil when it could not be read.
	Edge *edge.State
	// Offenders are some requests that were hurt, newest first; none where nobody knows of any.
	Offenders []Request
}

// Replica finds a replica of the gathering and its workload.
func (g Gathering) Replica(id string) (workload.Workload, workload.Replica, bool) {
	for _, w := range g.Workloads {
		if r, ok := w.Replica(id); ok {
			return w, r, true
		}
	}
	return workload.Workload{}, workload.Replica{}, false
}

// Config holds what a gatherer needs.
type Config struct {
	Collectors []Collector
	Lister     Lister
	// Offenders finds requests that were hurt; nil finds none.
	Offenders Offenders
	// Edge reads the edge's state; nil reads none.
	Edge EdgeReader
	// ListQuery is what the list is asked with, for the record; "GET /v1/workloads" by default.
	ListQuery string
	// Deadline bounds one gathering; 1 s by default. A source that is slower is unknown.
	Deadline time.Duration
	// Grace is how long corroborators are waited for when all others have answered; 30 ms by default.
	Grace time.Duration
	Now   func() time.Time
}

// Gatherer asks all sources at once.
type Gatherer struct{ cfg Config }

// New makes a gatherer.
func New(cfg Config) (*Gatherer, error) {
	if len(cfg.Collectors) == 0 {
		return nil, errors.New("evidence: no collectors were given")
	}
	if cfg.Lister == nil {
		return nil, errors.New("evidence: no workload list was given")
	}
	if cfg.ListQuery == "" {
		cfg.ListQuery = "GET /v1/workloads" // docs/contracts.md, "The supervisor's control API"
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = time.Second
	}
	if cfg.Grace == 0 {
		cfg.Grace = 30 * time.Millisecond
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Gatherer{cfg}, nil
}

type part struct {
	source string
	facts  []incident.Fact
	list   []workload.Workload
	listed bool // the list could be read

	requests []Request
	edge     *edge.State
}

// Gather asks every source and returns within the deadline, with whatever has come by then.
func (g *Gatherer) Gather(ctx context.Context, scope Scope) Gathering {
	ctx, cancel := context.WithTimeout(ctx, g.cfg.Deadline)
	defer cancel()
	scope.live = sync.OnceValues(func() ([]workload.Workload, error) { return g.cfg.Lister.Workloads(ctx) })
	asked := g.ask(ctx, scope)
	result, listed := Gathering{At: g.cfg.Now()}, false
	for len(asked.waiting) > 0 {
		select {
		case p := <-asked.parts:
			result.Facts = append(result.Facts, p.facts...)
			switch p.source {
			case Workloads:
				result.Workloads, listed = p.list, p.listed
			case offenders:
				result.Offenders = p.requests
			case edgeState:
				result.Edge = p.edge
			}
			asked.answered(p.source, g.cfg.Grace)
		case <-asked.enough:
			result.Facts = append(result.Facts, g.late(asked.waiting, "in time; nothing hangs on it")...)
			asked.waiting = nil
		case <-ctx.Done():
			result.Facts = append(result.Facts, g.late(asked.waiting, "within "+g.cfg.Deadline.String())...)
			asked.waiting = nil
		}
	}
	if listed {
		result.Facts = slices.DeleteFunc(result.Facts, result.past)
	}
	for i := range result.Facts {
		result.Facts[i].Round = scope.Round
	}
	slices.SortStableFunc(result.Facts, compare)
	return result
}

// past says whether a fact is about the metrics of a replica that is there no more: Prometheus remembers it for some
// scrapes, under a name that does not come back where replacements have names of their own.
func (g Gathering) past(f incident.Fact) bool {
	ofReplica := strings.HasPrefix(f.Name, poolFacts) || f.Name == RoundTripQuick || f.Name == ReleaseAge || f.Name == ReleaseLead
	if !ofReplica || f.Subject == Prometheus {
		return false
	}
	_, _, there := g.Replica(f.Subject)
	return !there
}

// compare gives facts an order that does not depend on which source was faster.
func compare(a, b incident.Fact) int {
	return cmp.Or(slices.Compare([]string{a.Source, a.Subject, a.Name}, []string{b.Source, b.Subject, b.Name}), cmp.Compare(pid(a), pid(b)))
}

func pid(f incident.Fact) int {
	if f.Session == nil {
		return 0
	}
	return f.Session.PID
}
