package evidence

import (
	"slices"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// locks looks for those at the root of all waiting: others wait for them, and they for nobody. A root that is no client
// session (a prepared transaction, a vacuum) is not in the answer, and so never a root here.
func (p picture) locks() []incident.Fact {
	wanted, waiters := map[int]bool{}, 0
	for _, s := range p.Sessions {
		if s.locked() {
			waiters++
		}
		for _, pid := range s.BlockedBy {
			wanted[pid] = true
		}
	}
	isRoot := func(s Session) bool { return wanted[s.PID] && !s.locked() && len(s.BlockedBy) == 0 }
	facts := p.single(LockRoot, LongestHold.Seconds(), func(s Session) (float64, bool) { return s.InTransaction, isRoot(s) })
	oldest, who := 0.0, ""
	if len(facts) > 0 {
		oldest, who = facts[0].Value, facts[0].Subject+", "+facts[0].Detail
	}
	roots := p.fact(LockRoots, "server", "{session}", float64(len(facts)), 0, "")
	facts = append(facts, p.waiters(facts)...)
	return append(
		facts, roots, p.fact(LockRootOldest, "server", "s", oldest, LongestHold.Seconds(), who),
		p.fact(LockRootWaiters, "server", "{session}", float64(waiters), 0, ""),
	)
}

// waiters counts, for each root and workload, the sessions of the workload that wait for the root in the end.
func (p picture) waiters(roots []incident.Fact) []incident.Fact {
	blockedBy := map[int][]int{}
	for _, s := range p.Sessions {
		blockedBy[s.PID] = s.BlockedBy
	}
	var facts []incident.Fact
	for _, root := range roots {
		counts := map[string]int{}
		for _, s := range p.Sessions {
			if workload, _, ours := s.pool(p.scope.Workloads); ours && s.locked() && leads(blockedBy, s.PID, root.Session.PID, nil) {
				counts[workload]++
			}
		}
		for workload, n := range counts {
			fact := p.fact(LockWaiters, workload, "{session}", float64(n), 0, "for "+root.Subject+", "+root.Detail)
			fact.Session = root.Session
			facts = append(facts, fact)
		}
	}
	return facts
}

// leads says that waiting for one session is, in the end, waiting for another. Those already seen are a circle, which the
// server's deadlock detector ends.
func leads(blockedBy map[int][]int, from, to int, seen []int) bool {
	for _, next := range blockedBy[from] {
		if next == to || !slices.Contains(seen, next) && leads(blockedBy, next, to, append(seen, next)) {
			return true
		}
	}
	return false
}
