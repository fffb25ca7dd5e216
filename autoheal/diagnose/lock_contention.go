package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// lockContention: a session has held locks for longer than any order may take, and sessions of workloads wait for it.
// Short waits for each other's rows are daily business, and no transaction of ours gets that old.
func lockContention(facts evidence.Facts, _ time.Duration) Finding {
	var s signs
	hold := evidence.LongestHold.Seconds()
	_, answered := facts.Get(evidence.LockRootOldest, "server")
	roots := of(facts, evidence.LockRoot)
	old := slices.DeleteFunc(slices.Clone(roots), func(f incident.Fact) bool { return f.Value < hold || waiters(facts, f)[0].Value == 0 })
	s.decides(len(old) > 0, answered, fmt.Sprintf("others wait for %s, whose transaction has been open for %.1f s", first(old), oldest(old)),
		fmt.Sprintf("nobody waits for a transaction of %s or more (%d at the root of waiting)", evidence.LongestHold, len(roots)), evidence.LockRoot)
	if len(old) == 0 && oldest(roots) >= hold/2 { // younger ones are daily business
		s.ripensIn(time.Duration((hold - oldest(roots)) * float64(time.Second)))
	}
	workload := ""
	if len(old) > 0 {
		waiting := waiters(facts, old[0])[0]
		workload = waiting.Subject
		s.needs(true, true, fmt.Sprintf("%g sessions of %s wait for it", waiting.Value, workload), "", "")
	}
	hurtByLock(facts, &s)
	f := s.finding(incident.LockContention)
	f.Workload, f.Subjects, f.Sessions = workload, applications(old), sessions(old)
	return f
}

// hurtByLock is the sign that somebody is hurt, wherever that shows: those who call the one that waits fill up as well.
func hurtByLock(facts evidence.Facts, s *signs) {
	good, known := edgeGood(facts)
	timeouts, counted := 0.0, true
	for _, p := range pools(facts) {
		n, ok := p.sum(evidence.PoolTimeouts)
		timeouts, counted = timeouts+n, counted && ok
	}
	hurt := known && good < evidence.GoodRatio || timeouts > 0
	s.needs(hurt, hurt || known && counted,
		fmt.Sprintf("it hurts: %s, and %g callers gave up waiting for a connection", edgeText(good, known), timeouts),
		fmt.Sprintf("it hurts nobody: %s, and no caller gave up waiting", edgeText(good, known)), "whether it hurts anybody")
}

// waiters are the workloads that wait for a root, most sessions first; one of nobody where there are none.
func waiters(facts evidence.Facts, root incident.Fact) []incident.Fact {
	found := slices.DeleteFunc(of(facts, evidence.LockWaiters), func(f incident.Fact) bool {
		return root.Session == nil || f.Session == nil || f.Session.PID != root.Session.PID
	})
	return append(found, incident.Fact{})
}
