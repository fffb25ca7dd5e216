package evidence

import (
	"context"
	"errors"
	"fmt"
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

// Collector asks one source. It answers with facts; what it could not get, it says in unknown facts.
type Collector interface {
	Source() string
	Collect(ctx context.Context, scope Scope) []incident.Fact
}

// Lister lists the live workloads.
type Lister interface {
	Workloads(ctx context.Context) ([]workload.Workload, error)
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
	// ListQuery is what the list is asked with, for the record; "GET /v1/workloads" by default.
	ListQuery string
	// Deadline bounds one gathering; 1 s by default. A source that is slower is unknown.
	Deadline time.Duration
	Now      func() time.Time
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
}

// Gather asks every source and returns within the deadline, with whatever has come by then.
func (g *Gatherer) Gather(ctx context.Context, scope Scope) Gathering {
	ctx, cancel := context.WithTimeout(ctx, g.cfg.Deadline)
	defer cancel()
	scope.live = sync.OnceValues(func() ([]workload.Workload, error) { return g.cfg.Lister.Workloads(ctx) })
	parts := make(chan part, len(g.cfg.Collectors)+2) // room for all: a late source must not block for ever
	waiting := []string{Workloads}
	go func() { parts <- g.list(scope) }()
	for _, c := range g.cfg.Collectors {
		waiting = append(waiting, c.Source())
		go func() { parts <- part{source: c.Source(), facts: c.Collect(ctx, scope)} }()
	}
	if g.cfg.Offenders != nil {
		waiting = append(waiting, offenders)
		go func() { parts <- g.hurt(ctx, scope) }()
	}
	result, listed := Gathering{At: g.cfg.Now()}, false
	for len(waiting) > 0 {
		select {
		case p := <-parts:
			result.Facts = append(result.Facts, p.facts...)
			switch p.source {
			case Workloads:
				result.Workloads, listed = p.list, p.listed
			case offenders:
				result.Offenders = p.requests
			}
			waiting = slices.DeleteFunc(waiting, func(s string) bool { return s == p.source })
		case <-ctx.Done():
			for _, source := range slices.DeleteFunc(waiting, func(s string) bool { return s == offenders }) {
				result.Facts = append(result.Facts, unknown(source, "source", source, "",
					fmt.Sprintf("%s did not answer within %s", source, g.cfg.Deadline), g.cfg.Now()))
			}
			waiting = nil
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

// past says whether a fact is about the pool of a replica that is there no more: Prometheus remembers it for some
// scrapes, under a name that does not come back where replacements have names of their own.
func (g Gathering) past(f incident.Fact) bool {
	if !strings.HasPrefix(f.Name, poolFacts) || f.Subject == Prometheus {
		return false
	}
	_, _, there := g.Replica(f.Subject)
	return !there
}

func (g *Gatherer) list(scope Scope) part {
	all, err := scope.live()
	now := g.cfg.Now()
	if err != nil {
		return part{source: Workloads, facts: []incident.Fact{
			unknown(Workloads, "source", Workloads, g.cfg.ListQuery, err.Error(), now),
		}}
	}
	var mine []workload.Workload
	for _, w := range all {
		if slices.Contains(scope.Workloads, w.Name) {
			mine = append(mine, w)
		}
	}
	return part{source: Workloads, list: mine, listed: true, facts: replicaFacts(mine, g.cfg.ListQuery, now)}
}

// compare gives facts an order that does not depend on which source was faster.
func compare(a, b incident.Fact) int {
	return slices.Compare([]string{a.Source, a.Subject, a.Name}, []string{b.Source, b.Subject, b.Name})
}
