package evidence

import (
	"fmt"
	"math"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// States of a session, as pg_stat_activity names them.
const (
	idle                = "idle"
	active              = "active"
	inTransaction       = "idle in transaction"
	inFailedTransaction = "idle in transaction (aborted)"
)

// replicas counts each replica's sessions by state.
func (p picture) replicas() []incident.Fact {
	var facts []incident.Fact
	for replica, t := range p.tallies() {
		detail := fmt.Sprintf("application_name %s", t.application)
		count := func(name string, n int, threshold float64) {
			facts = append(facts, p.fact(name, replica, "{session}", float64(n), threshold, detail))
		}
		count(Sessions, t.total, 0)
		count(SessionsIdle, t.idle, 0)
		count(SessionsIdleLong, t.idleLong, float64(t.total))
		count(SessionsActive, t.active, 0)
		count(SessionsActiveLong, t.activeLong, 1)
		count(SessionsInTransaction, t.inTransaction, 0)
		count(SessionsLockWait, t.lockWait, 0)
		if t.idle > 0 {
			facts = append(facts,
				p.fact(SessionsIdleYoungest, replica, "s", t.youngest, LongestHold.Seconds(), detail),
				p.fact(SessionsIdleOldest, replica, "s", t.oldest, LongestHold.Seconds(), detail))
		}
		if t.active > 0 {
			facts = append(facts, p.fact(SessionsActiveOldest, replica, "s", t.activeOldest, LongestHold.Seconds(), detail))
		}
	}
	return facts
}

type tally struct {
	application                                                        string
	total, idle, idleLong, active, activeLong, inTransaction, lockWait int
	youngest, oldest, activeOldest                                     float64
}

func (p picture) tallies() map[string]*tally {
	found := map[string]*tally{}
	for _, s := range p.Sessions {
		_, replica, ok := s.pool(p.scope.Workloads)
		if !ok {
			continue
		}
		t := found[replica]
		if t == nil {
			t = &tally{application: s.ApplicationName, youngest: math.Inf(1)}
			found[replica] = t
		}
		t.add(s)
	}
	return found
}

func (t *tally) add(s Session) {
	t.total++
	if s.locked() {
		t.lockWait++
	}
	switch s.State {
	case idle:
		t.idle++
		t.youngest, t.oldest = min(t.youngest, s.InState), max(t.oldest, s.InState)
		if s.InState >= LongestHold.Seconds() {
			t.idleLong++
		}
	case inTransaction, inFailedTransaction:
		t.inTransaction++
	default: // active, fastpath, disabled, starting: none of them is an idle connection
		t.active++
		if !s.locked() {
			t.activeOldest = max(t.activeOldest, s.InQuery)
		}
		if s.long() {
			t.activeLong++
		}
	}
}

// locked says that the session waits for a lock.
func (s Session) locked() bool { return s.WaitEventType == "Lock" }

// long says that the session has worked on one statement for longer than any order may take.
func (s Session) long() bool {
	return s.State == active && !s.locked() && s.InQuery >= LongestHold.Seconds()
}

// longQueries are the long statements of the workloads' pools, each with its session.
func (p picture) longQueries() []incident.Fact {
	return p.single(LongQuery, LongestHold.Seconds(), func(s Session) (float64, bool) {
		_, _, ours := s.pool(p.scope.Workloads)
		return s.InQuery, ours && s.long()
	})
}
