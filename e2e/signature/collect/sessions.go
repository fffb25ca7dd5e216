package collect

import (
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/e2e/signature"
)

const inTransaction = "idle in transaction"

// owner is the first part of an application_name: the workload, for the sessions of ours.
func (s session) owner() string {
	name, _, _ := strings.Cut(s.application, "/")
	return name
}

// replica is the second part, for sessions of a replica's pool; empty for all others.
func (s session) replica() string {
	owner, replica, _ := strings.Cut(s.application, "/")
	if !slices.Contains(workloads, owner) {
		return ""
	}
	return replica
}

// foreign says that a session is of no workload: neither of its pool nor of its probe, nor the healer's.
func (s session) foreign() bool {
	owner := strings.TrimSuffix(s.owner(), "-probe")
	return !slices.Contains(workloads, owner) && owner != "autoheal"
}

// told makes a fact of Postgres.
func told(name, subject, unit string, value float64, at time.Time) signature.Fact {
	return measured(signature.Postgres, name, subject, activityQuery, unit, value, at)
}

func count(all []session, which func(session) bool) float64 {
	n := 0
	for _, s := range all {
		if which(s) {
			n++
		}
	}
	return float64(n)
}

func serverFacts(all []session, slots, reserved int, now time.Time) []signature.Fact {
	facts := []signature.Fact{
		told(signature.ServerSessions, "server", "{session}", float64(len(all)), now),
		measured(signature.Postgres, signature.ServerMaxConnections, "server", slotsQuery, "{session}", float64(slots), now),
		measured(signature.Postgres, signature.ServerReservedSlots, "server", slotsQuery, "{session}", float64(reserved), now),
		told(signature.ForeignSessions, "server", "{session}", count(all, session.foreign), now),
	}
	return append(facts, tally(signature.ApplicationSessions, all, session.owner, now)...)
}

// tally counts sessions by what they share; what is empty is not counted.
func tally(name string, all []session, by func(session) string, now time.Time) []signature.Fact {
	counts := map[string]float64{}
	for _, s := range all {
		if key := by(s); key != "" {
			counts[key]++
		}
	}
	var facts []signature.Fact
	for key, n := range counts {
		facts = append(facts, told(name, key, "{session}", n, now))
	}
	return facts
}

// lockFacts looks for those at the root of all waiting: others wait for them, and they for nobody.
func lockFacts(all []session, now time.Time) []signature.Fact {
	waiting := map[int32]bool{}
	wanted := map[int32]bool{}
	for _, s := range all {
		if s.waits == "Lock" {
			waiting[s.pid] = true
		}
		for _, pid := range s.blockedBy {
			wanted[pid] = true
		}
	}
	var roots, oldest float64
	var who string
	for _, s := range all {
		if !wanted[s.pid] || waiting[s.pid] {
			continue
		}
		roots++
		if s.inTransaction >= oldest {
			oldest, who = s.inTransaction, s.application+", "+s.state+", after "+s.shape
		}
	}
	root := told(signature.LockRootOldest, "server", "s", oldest, now)
	root.Detail = who
	return []signature.Fact{
		root, told(signature.LockRoots, "server", "{session}", roots, now),
		told(signature.LockRootWaiters, "server", "{session}", float64(len(waiting)), now),
	}
}

// shapeFacts tells what the sessions of workloads are busy with, and after what they are idle in a transaction.
func shapeFacts(all []session, now time.Time) []signature.Fact {
	shape := func(state string) func(session) string {
		return func(s session) string {
			if s.replica() == "" || s.state != state {
				return ""
			}
			return s.owner() + "/" + s.shape
		}
	}
	return append(tally(signature.QueryShape, all, shape("active"), now), tally(signature.TransactionShape, all, shape(inTransaction), now)...)
}

// replicaSessions counts each replica's sessions by state. An age of nothing is left out: it is not zero.
func replicaSessions(all []session, now time.Time) []signature.Fact {
	byReplica := map[string][]session{}
	for _, s := range all {
		if replica := s.replica(); replica != "" {
			byReplica[replica] = append(byReplica[replica], s)
		}
	}
	var facts []signature.Fact
	for replica, own := range byReplica {
		state := func(state string) func(session) bool { return func(s session) bool { return s.state == state } }
		var idle, transaction float64
		for _, s := range own {
			transaction = max(transaction, s.inTransaction)
			if s.state == "idle" {
				idle = max(idle, s.inState)
			}
		}
		facts = append(facts,
			told(signature.Sessions, replica, "{session}", float64(len(own)), now),
			told(signature.SessionsIdle, replica, "{session}", count(own, state("idle")), now),
			told(signature.SessionsIdleLong, replica, "{session}", count(own, idleLong), now),
			told(signature.SessionsActive, replica, "{session}", count(own, state("active")), now),
			told(signature.SessionsActiveLong, replica, "{session}", count(own, activeLong), now),
			told(signature.SessionsInTransaction, replica, "{session}", count(own, state(inTransaction)), now),
			told(signature.SessionsLockWait, replica, "{session}", count(own, func(s session) bool { return s.waits == "Lock" }), now),
		)
		if idle > 0 {
			facts = append(facts, told(signature.SessionsIdleOldest, replica, "s", idle, now))
		}
		if transaction > 0 {
			facts = append(facts, told(signature.SessionsOldestTransaction, replica, "s", transaction, now))
		}
	}
	return facts
}

func idleLong(s session) bool { return s.state == "idle" && s.inState >= signature.LongestHold }

func activeLong(s session) bool {
	return s.state == "active" && s.waits != "Lock" && s.inQuery >= signature.LongestHold
}
