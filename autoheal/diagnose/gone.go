package diagnose

import (
	"slices"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// telling are the facts of Prometheus that tell a cause and not the symptom. Where nothing passed they are means of nothing,
// which is no reason to doubt the others.
var telling = []string{
	evidence.PoolHoldMean, evidence.RoundTripQuick, evidence.CallTimeMean, evidence.EdgeArrivalRate, evidence.EdgeArrivalBefore,
	evidence.EdgeArrivalRatio, evidence.ReleaseAge, evidence.ReleaseLead,
}

// gone is true when the edge is good and every pool has room or turns nobody away, all of it known.
func gone(facts evidence.Facts) bool {
	if blind(facts) || !edgeIsGood(facts) {
		return false
	}
	all := facts.Subjects(evidence.PoolMax)
	for _, replica := range all {
		idle, known := facts.Get(evidence.PoolIdle, replica)
		timeouts, counted := facts.Get(evidence.PoolTimeouts, replica)
		refusals, watched := facts.Get(evidence.PoolConnectRefusals, replica)
		if !known || !counted || !watched || refusals.Value > 0 || idle.Value == 0 && timeouts.Value > 0 {
			return false
		}
	}
	return len(all) > 0
}

// harmless is true when pools turn callers away, the edge is good all the same, and no cause comes near; all of it known.
func harmless(facts evidence.Facts, findings []Finding) bool {
	_, answered := facts.Get(evidence.ServerSessions, "server")
	if blind(facts) || !answered || !edgeIsGood(facts) || slices.ContainsFunc(findings, Finding.near) {
		return false
	}
	timeouts := 0.0
	for _, p := range pools(facts) {
		gaveUp, counted := p.sum(evidence.PoolTimeouts)
		refusals, watched := p.sum(evidence.PoolConnectRefusals)
		if !counted || !watched || refusals > 0 {
			return false
		}
		timeouts += gaveUp
	}
	return timeouts > 0
}

// blind says that something of the symptom is unknown.
func blind(facts evidence.Facts) bool {
	return slices.ContainsFunc(facts, func(f incident.Fact) bool {
		return f.Source == evidence.Prometheus && f.Status == incident.Unknown && !slices.Contains(telling, f.Name)
	})
}

// edgeIsGood says that every edge is known to be good.
func edgeIsGood(facts evidence.Facts) bool {
	good, known := edgeGood(facts)
	return known && good >= evidence.GoodRatio
}
