package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// pool is all pools of one workload's replicas together.
type pool struct {
	facts    evidence.Facts
	workload string   // empty where it is unknown
	replicas []string // sorted
}

// pools groups the replicas that have a pool by their workload, those in the most trouble first.
func pools(facts evidence.Facts) []pool {
	var found []pool
	for _, replica := range facts.Subjects(evidence.PoolMax) {
		workload := owner(facts, replica)
		at := slices.IndexFunc(found, func(p pool) bool { return p.workload == workload })
		if at < 0 {
			at, found = len(found), append(found, pool{facts: facts, workload: workload})
		}
		found[at].replicas = append(found[at].replicas, replica)
	}
	slices.SortStableFunc(found, func(a, b pool) int {
		return cmp.Or(cmp.Compare(b.trouble(), a.trouble()), cmp.Compare(a.workload, b.workload))
	})
	return found
}

// owner is the workload of a replica; empty where it is unknown.
func owner(facts evidence.Facts, replica string) string {
	fact, known := facts.Get(evidence.ReplicaWorkload, replica)
	if !known {
		return ""
	}
	return fact.Detail
}

// trouble counts callers that were turned away, as far as that is known.
func (p pool) trouble() float64 {
	timeouts, _ := p.sum(evidence.PoolTimeouts)
	refusals, _ := p.sum(evidence.PoolConnectRefusals)
	return timeouts + refusals
}

// each gives the values of a fact, one a replica; false where one of them is unknown or there is no replica.
func (p pool) each(name string) ([]float64, bool) {
	values, known := []float64{}, len(p.replicas) > 0
	for _, replica := range p.replicas {
		fact, ok := p.facts.Get(name, replica)
		if !ok && noSessions(p.facts, name, replica) {
			ok = true
		}
		if known = known && ok; ok {
			values = append(values, fact.Value)
		}
	}
	return values, known
}

// noSessions says that a fact about the sessions of a replica is missing because it has none: the server answered, and there
// was nothing to count.
func noSessions(facts evidence.Facts, name, replica string) bool {
	_, answered := facts.Get(evidence.ServerSessions, "server")
	return answered && strings.HasPrefix(name, evidence.Sessions) &&
		!slices.ContainsFunc(facts, func(f incident.Fact) bool { return f.Subject == replica && f.Source == evidence.Postgres })
}

func (p pool) sum(name string) (float64, bool) {
	values, known := p.each(name)
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum, known
}

func (p pool) least(name string) (float64, bool) {
	values, known := p.each(name)
	if len(values) == 0 {
		return 0, false
	}
	return slices.Min(values), known
}

func (p pool) most(name string) (float64, bool) {
	values, known := p.each(name)
	if len(values) == 0 {
		return 0, false
	}
	return slices.Max(values), known
}

// named is the sign that the workload of the pools is known: a remedy needs to know whom it is for.
func (p pool) named(s *signs) {
	s.needs(true, p.workload != "", "it is about "+p.workload, "", "whose pools these are")
}

// suffers is the sign that somebody is hurt: customers at the edge, or callers who found no connection.
func (p pool) suffers(s *signs) {
	good, known := edgeGood(p.facts)
	timeouts, counted := p.sum(evidence.PoolTimeouts)
	refusals, watched := p.sum(evidence.PoolConnectRefusals)
	hurt := known && good < evidence.GoodRatio || timeouts > 0 || refusals > 0
	s.needs(hurt, hurt || known && counted && watched,
		fmt.Sprintf("it hurts: %s; %g callers of %s gave up waiting, and %g of its connects were refused", edgeText(good, known), timeouts,
			p.workload, refusals),
		fmt.Sprintf("it hurts nobody: %s, and no caller of %s gave up waiting", edgeText(good, known), p.workload), "whether it hurts anybody")
}

func edgeText(good float64, known bool) string {
	if !known {
		return "the edge is unknown"
	}
	return percent(good) + " of the checkouts are good"
}

// edgeGood is the share of good checkouts at the edge that has the fewest.
func edgeGood(facts evidence.Facts) (float64, bool) {
	least, known := 1.0, false
	for _, edge := range facts.Subjects(evidence.EdgeGoodRatio) {
		fact, ok := facts.Get(evidence.EdgeGoodRatio, edge)
		if !ok {
			return 0, false
		}
		least, known = min(least, fact.Value), true
	}
	return least, known
}

// likeliest asks about every workload's pools, and keeps what comes nearest to the cause.
func likeliest(facts evidence.Facts, cause incident.Cause, about func(pool) Finding) Finding {
	best := Finding{Candidate: incident.Candidate{Cause: cause, For: []string{}, Against: []string{"no pool's metrics are known"}}}
	for i, p := range pools(facts) {
		if f := about(p); i == 0 || f.Candidate.Score > best.Candidate.Score {
			best = f
		}
	}
	return best
}
