package diagnose

import (
	"fmt"

	"github.com/faultline-lab/faultline/autoheal/evidence"
)

// What a slow way, a slow service and too many customers look like, others look like as well, which have left plainer
// traces. Each of these signs is that such a trace is not there.

// noOldRoot is the sign that nobody waits for a session that has held its locks for long.
func noOldRoot(facts evidence.Facts, s *signs) {
	root, known := facts.Get(evidence.LockRootOldest, "server")
	s.decides(root.Value < evidence.LongestHold.Seconds(), known,
		"nobody waits for a lock that is held for long",
		fmt.Sprintf("a lock that others wait for has been held for %.1f s", root.Value), evidence.LockRootOldest)
}

// noOldTransaction is the sign that nobody holds locks for long, whether somebody waits for them at this moment or not: those
// who wait give up, and the next ones may not have come yet.
func noOldTransaction(facts evidence.Facts, s *signs) {
	oldest, known := facts.Get(evidence.TransactionOldest, "server")
	s.decides(oldest.Value < evidence.LongestHold.Seconds(), known, "no transaction has been open for long",
		fmt.Sprintf("a transaction has been open for %.1f s, and may hold what others want", oldest.Value), evidence.TransactionOldest)
}

// noLongQueries is the sign that no statement of the workload runs for long.
func (p pool) noLongQueries(s *signs) {
	long, known := p.sum(evidence.SessionsActiveLong)
	s.decides(long == 0, known, "no statement of "+p.workload+" runs for long",
		fmt.Sprintf("%g statements of %s have been running for %s or more", long, p.workload, evidence.LongestHold), evidence.SessionsActiveLong)
}

// noLeaks is the sign that hardly a connection is used by nobody. Pool and server are read up to a scrape apart, so one
// may be counted wrongly.
func (p pool) noLeaks(s *signs) {
	sum, known := 0.0, true
	for _, replica := range p.replicas {
		n, ok := leaked(p.facts, replica)
		sum, known = sum+n, known && ok
	}
	s.decides(sum < leaksOfNote, known, "no connections of "+p.workload+" are leaked",
		fmt.Sprintf("%g connections of %s are used in its pools and idle at the server", sum, p.workload), "whether connections are leaked")
}

// leaksOfNote is from how many leaked connections on they are no matter of counting.
const leaksOfNote = 2

// leaked is how many connections a replica's pool calls used that the server has seen idle for longer than any hold lasts.
func leaked(facts evidence.Facts, replica string) (float64, bool) {
	long, counted := facts.Get(evidence.SessionsIdleLong, replica)
	idle, known := facts.Get(evidence.PoolIdle, replica)
	if !counted && noSessions(facts, evidence.SessionsIdleLong, replica) {
		counted = true
	}
	return max(0, long.Value-idle.Value), counted && known
}

// quickTrips is the sign that the way to the database is sound.
func (p pool) quickTrips(s *signs) {
	quick, known := p.least(evidence.RoundTripQuick)
	s.decides(quick >= slowTrips, known,
		fmt.Sprintf("the way to the database is quick: %s of the round trips within %s s", percent(quick), evidence.QuickTrip),
		fmt.Sprintf("the way to the database is slow: only %s of the round trips within %s s", percent(quick), evidence.QuickTrip),
		evidence.RoundTripQuick)
}
