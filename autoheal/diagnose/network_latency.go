package diagnose

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

const (
	// slowTrips is the share of quick round trips below which the way to the database is slow. One in three is slow now and
	// then when a processor is busy; a slow way spares hardly one.
	slowTrips = 0.25
	// soundTrips is the share from which it is sound again. It is higher, so that a way in between is no reason for anything.
	soundTrips = 0.5
	// slowHold is how long connections are held at least where each statement takes a slow way. Beside a processor that has no
	// time for the measurement, which happens, and spares the holds.
	slowHold = 0.2
)

// networkLatency: the way from a workload to its database is slow. Its replicas measure it on a connection of their own, so
// that neither a full pool nor a slow statement counts.
func networkLatency(facts evidence.Facts, _ time.Duration) Finding {
	return likeliest(facts, incident.NetworkLatency, func(p pool) Finding {
		var s signs
		quick, known := p.most(evidence.RoundTripQuick)
		s.decides(quick < slowTrips, known,
			fmt.Sprintf("on each of its replicas at most %s of the round trips to the database take no longer than %s s", percent(quick), evidence.QuickTrip),
			fmt.Sprintf("a replica makes %s of its round trips to the database within %s s", percent(quick), evidence.QuickTrip),
			evidence.RoundTripQuick)
		hold, measured := p.most(evidence.PoolHoldMean)
		s.decides(hold >= slowHold, measured, fmt.Sprintf("connections of %s are held for %.2f s", p.workload, hold),
			fmt.Sprintf("connections of %s are held for %.2f s only: no slow way is in that", p.workload, hold), evidence.PoolHoldMean)
		noOldRoot(facts, &s)
		p.noLongQueries(&s)
		p.noLeaks(&s)
		p.suffers(&s)
		p.named(&s)
		return s.finding(incident.NetworkLatency).on(p)
	})
}
