package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// slowQuery: statements that run for longer than any order may take have most of a replica's pool, so that orders find no
// connection. They work: they wait for no lock.
func slowQuery(facts evidence.Facts, _ time.Duration) Finding {
	return likeliest(facts, incident.SlowQuery, func(p pool) Finding {
		var s signs
		sick, known, ripe := p.clogged()
		queries := p.longQueries(sick)
		s.decides(len(sick) > 0, known,
			fmt.Sprintf("statements that have been running for %s or more have most of the pool of %v", evidence.LongestHold, sick),
			"statements that run for long have most of no pool of "+p.workload, evidence.SessionsActiveLong)
		if ripe > 0 {
			s.ripensIn(ripe)
		}
		s.decides(len(queries) > 0 || len(sick) == 0, true, fmt.Sprintf("they are %d, the oldest: %s", len(queries), first(queries)),
			"which they are is not known", "")
		noOldRoot(facts, &s)
		p.suffers(&s)
		p.named(&s)
		f := s.finding(incident.SlowQuery)
		f.Workload, f.Subjects, f.Sessions = p.workload, applications(queries), sessions(queries)
		return f
	})
}

// clogged are the replicas of which long statements have most of the pool; where there are none but statements have most of
// one, it says when these will be long.
func (p pool) clogged() (sick []string, known bool, ripe time.Duration) {
	known = len(p.replicas) > 0
	for _, replica := range p.replicas {
		one := pool{p.facts, p.workload, []string{replica}}
		long, counted := one.sum(evidence.SessionsActiveLong)
		active, seen := one.sum(evidence.SessionsActive)
		size, sized := one.sum(evidence.PoolMax)
		known = known && counted && seen && sized
		oldest, aged := p.facts.Get(evidence.SessionsActiveOldest, replica)
		switch {
		case counted && sized && 2*long > size:
			sick = append(sick, replica)
		case seen && sized && aged && 2*active > size && oldest.Value < evidence.LongestHold.Seconds():
			ripe = max(ripe, time.Duration((evidence.LongestHold.Seconds()-oldest.Value)*float64(time.Second)))
		}
	}
	if len(sick) > 0 {
		ripe = 0
	}
	return sick, known, ripe
}

// longQueries are the facts of the long statements of some replicas.
func (p pool) longQueries(replicas []string) []incident.Fact {
	return slices.DeleteFunc(of(p.facts, evidence.LongQuery), func(f incident.Fact) bool {
		return !slices.ContainsFunc(replicas, func(replica string) bool { return f.Subject == p.workload+"/"+replica })
	})
}
