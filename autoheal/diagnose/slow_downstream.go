package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

const (
	// slowCall is how long a call takes on average that fills its caller's pool: at 0.2 s pools that are half busy at 0.1 s
	// are full.
	slowCall = 0.2
	// soundCall is below what it is sound again, in seconds.
	soundCall = 0.15
)

// slowDownstream: a service that others call while they hold a connection takes longer than it should. It is the one that
// is slow by itself, and not one that waits for a lock or a way of its own.
func slowDownstream(facts evidence.Facts, _ time.Duration) Finding {
	name, call := slowest(facts)
	return likeliest(facts, incident.SlowDownstream, func(caller pool) Finding {
		var s signs
		s.decides(call.Value >= slowCall, name != "" && caller.workload != name,
			fmt.Sprintf("calls of %s take %.2f s; %.2f s is the limit", name, call.Value, slowCall),
			fmt.Sprintf("calls take %.2f s at most (%s); %.2f s is the limit", call.Value, name, slowCall), evidence.CallTimeMean)
		caller.quickTrips(&s)
		noOldRoot(facts, &s)
		caller.noLongQueries(&s)
		caller.noLeaks(&s)
		for _, p := range pools(facts) {
			if p.workload == name { // it has a database of its own, which may be what is slow
				p.quickTrips(&s)
				p.noLongQueries(&s)
				noOldTransaction(facts, &s)
			}
		}
		caller.suffers(&s)
		caller.named(&s)
		f := s.finding(incident.SlowDownstream)
		f.Workload, f.Subjects = name, []string{name}
		return f
	})
}

// slowest is the workload whose calls take the longest; empty where no call is known, or one is not.
func slowest(facts evidence.Facts) (string, incident.Fact) {
	var slowest incident.Fact
	for _, name := range facts.Subjects(evidence.CallTimeMean) {
		if call, known := facts.Get(evidence.CallTimeMean, name); known && (slowest.Subject == "" || call.Value > slowest.Value) {
			slowest = call
		}
	}
	if slices.Contains(facts.Subjects(evidence.CallTimeMean), evidence.Prometheus) {
		return "", incident.Fact{} // the question failed
	}
	return slowest.Subject, slowest
}
