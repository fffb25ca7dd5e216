package diagnose

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

const (
	// longHold is how long connections are held where more than customers is the trouble: a hold is 0.1 s, and at 0.2 s all
	// connections are busy without one customer more.
	longHold = 0.25
	// usualCustomers is how many times the usual rate is no surge any more.
	usualCustomers = 1.2
)

// trafficSurge: more customers come than the pools can serve, and each takes no longer than ever.
func trafficSurge(facts evidence.Facts, _ time.Duration) Finding {
	return likeliest(facts, incident.TrafficSurge, func(p pool) Finding {
		var s signs
		ratio, known := atEdge(facts, evidence.EdgeArrivalRatio)
		rate, _ := atEdge(facts, evidence.EdgeArrivalRate)
		before, _ := atEdge(facts, evidence.EdgeArrivalBefore)
		came := fmt.Sprintf("%.1f checkouts a second come, %.2f times the usual %.1f", rate, ratio, before)
		s.decides(ratio >= evidence.MoreCustomers, known, came, came, evidence.EdgeArrivalRatio)
		hold, measured := p.most(evidence.PoolHoldMean)
		s.decides(hold < longHold, measured,
			fmt.Sprintf("each holds a connection of %s for %.2f s, which is no longer than it should", p.workload, hold),
			fmt.Sprintf("each holds a connection of %s for %.2f s; %.2f s is the limit", p.workload, hold, longHold), evidence.PoolHoldMean)
		p.quickTrips(&s)
		noOldRoot(facts, &s)
		p.noLongQueries(&s)
		p.noLeaks(&s)
		timeouts, counted := p.sum(evidence.PoolTimeouts)
		s.decides(timeouts > 0, counted, fmt.Sprintf("%g callers of %s gave up waiting for a connection", timeouts, p.workload),
			"no caller of "+p.workload+" gave up waiting for a connection", evidence.PoolTimeouts)
		p.named(&s)
		return s.finding(incident.TrafficSurge).on(p)
	})
}

// atEdge is the value of a fact of the edge; false where it is unknown, or there are several.
func atEdge(facts evidence.Facts, name string) (float64, bool) {
	edges := facts.Subjects(name)
	if len(edges) != 1 {
		return 0, false
	}
	fact, known := facts.Get(name, edges[0])
	return fact.Value, known
}
