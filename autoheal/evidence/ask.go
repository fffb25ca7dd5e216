package evidence

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// edgeState is the source of the edge's state. It gives no facts: who needs the state and has none does nothing.
const edgeState = "edge"

// questions are those that are under way.
type questions struct {
	parts   chan part
	waiting []string // the sources that have not answered
	spare   []string // the sources on which nothing hangs
	enough  <-chan time.Time
}

// answered crosses a source off. When only those are left on which nothing hangs, they have a moment.
func (q *questions) answered(source string, grace time.Duration) {
	q.waiting = slices.DeleteFunc(q.waiting, func(s string) bool { return s == source })
	if q.enough == nil && !slices.ContainsFunc(q.waiting, func(s string) bool { return !slices.Contains(q.spare, s) }) {
		q.enough = time.After(grace)
	}
}

// ask starts all sources at once.
func (g *Gatherer) ask(ctx context.Context, scope Scope) questions {
	q := questions{parts: make(chan part, len(g.cfg.Collectors)+3), spare: []string{offenders}} // room for all: a late source must not block for ever
	start := func(source string, answer func() part) {
		q.waiting = append(q.waiting, source)
		go func() { q.parts <- answer() }()
	}
	start(Workloads, func() part { return g.list(scope) })
	for _, c := range g.cfg.Collectors {
		if _, corroborates := c.(Corroborator); corroborates {
			q.spare = append(q.spare, c.Source())
		}
		start(c.Source(), func() part { return part{source: c.Source(), facts: c.Collect(ctx, scope)} })
	}
	if g.cfg.Offenders != nil {
		start(offenders, func() part { return g.hurt(ctx, scope) })
	}
	if g.cfg.Edge != nil {
		start(edgeState, func() part { return g.edge(ctx) })
	}
	return q
}

// edge reads the state; one that could not be had is nil.
func (g *Gatherer) edge(ctx context.Context) part {
	state, err := g.cfg.Edge.State(ctx)
	if err != nil {
		state = nil
	}
	return part{source: edgeState, edge: state}
}

// late says of each source that it did not answer in time; of those that give no facts there is nothing to say.
func (g *Gatherer) late(sources []string, when string) []incident.Fact {
	var facts []incident.Fact
	for _, source := range sources {
		if source != offenders && source != edgeState {
			facts = append(facts, unknown(source, "source", source, "",
				fmt.Sprintf("%s did not answer %s", source, when), g.cfg.Now()))
		}
	}
	return facts
}
