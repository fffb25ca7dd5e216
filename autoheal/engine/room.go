package engine

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/verify"
	"github.com/faultline-lab/faultline/slo/policy"
)

// Budget is how bold the healer may be by what is left of the error budgets.
type Budget struct {
	policy.Verdict
	// Allowed is how many checkouts may fail within the objective's window; what the healer's own actions cost is held against
	// it.
	Allowed float64
}

// budget reads the error budgets, and the share of them that the healer's own actions have cost within the last hour. It is
// free where nobody gave it a policy.
func (w *work) budget(ctx context.Context, effects []incident.Effect) (verdict *policy.Verdict, damage float64) {
	if w.cfg.Budget == nil {
		return &policy.Verdict{Level: policy.Free, Reason: "no error-budget policy is in use"}, 0
	}
	budget, err := w.cfg.Budget(ctx)
	harm := w.harm(effects)
	switch {
	case err == nil && budget.Allowed > 0:
		return &budget.Verdict, harm / budget.Allowed
	case harm == 0: // which is no share of any budget
		damage = 0
	default:
		damage = math.NaN()
	}
	w.note("note", "the error budgets could not be read: %v", err)
	return nil, damage
}

// room is what the database server has left for another replica; nil where that is not known.
func (w *work) room(seen *look, name string) *guard.Room {
	sessions, known := seen.Facts.Get(evidence.ServerSessions, "server")
	most, limited := seen.Facts.Get(evidence.ServerMaxConnections, "server")
	if !known || !limited {
		return nil
	}
	reserved, _ := seen.Facts.Get(evidence.ServerReservedSlots, "server")
	// A pool may grow to its size at any moment, so it is counted as if it had. One more for the probe of the round trip.
	planned := 0
	for _, replica := range seen.Facts.Subjects(evidence.PoolMax) {
		planned += pool(seen, replica)
	}
	foreign, _ := seen.Facts.Get(evidence.ForeignSessions, "server")
	room := &guard.Room{
		Sessions: max(int(sessions.Value), planned+int(foreign.Value)), MaxConnections: int(most.Value), Reserved: int(reserved.Value),
	}
	for _, workload := range []string{name, seen.Diagnosis.Workload} { // one without replicas is the twin of the one that is sick
		owner, _ := seen.sight().Workload(workload)
		for _, r := range owner.Replicas {
			room.PerReplica = max(room.PerReplica, pool(seen, r.ID))
		}
		if room.PerReplica > 0 {
			return room
		}
	}
	return nil
}

// pool is how many connections a replica may take; 0 where its pool is not known.
func pool(seen *look, replica string) int {
	size, known := seen.Facts.Get(evidence.PoolMax, replica)
	if !known {
		return 0
	}
	return int(size.Value) + 1
}

// harm is how many checkouts the healer's own actions have cost within the last hour.
func (w *work) harm(effects []incident.Effect) float64 {
	now := w.cfg.Now()
	sum, since := 0.0, now.Add(-time.Hour)
	for _, e := range effects {
		if e.LastAt(now).After(since) {
			sum += e.Harmed
		}
	}
	return sum
}

// harmed is how many checkouts failed between two looks at the edge beyond those that failed before; 0 where nobody can tell.
func (w *work) harmed(before, after verify.Readout) float64 {
	passed := after.Since(before)
	for _, subject := range w.seen.Facts.Subjects(evidence.EdgeGoodRatio) {
		if ratio, known := w.seen.Facts.Get(evidence.EdgeGoodRatio, subject); known {
			return max(0, passed.Total*ratio.Value-passed.Good-passed.Accepted)
		}
	}
	return 0
}

// aftermath is how long an incident that was handed over still counts towards a storm.
const aftermath = 5 * time.Minute

// others is how many other incidents are open, or were handed over moments ago; below zero where that cannot be counted.
func (w *work) others(ctx context.Context) int {
	n, err := w.cfg.Store.Troubled(ctx, w.in.ID, w.cfg.Now().Add(-aftermath))
	if err != nil {
		w.note("note", "the open incidents could not be counted: %v", err)
		return -1
	}
	return n
}

// storm has people told once that all action has stopped.
func (w *work) storm(d guard.Decision) {
	stormy := slices.ContainsFunc(d.Verdicts, func(v incident.Verdict) bool { return v.Guard == "storm" && !v.Allowed })
	if stormy && w.storming.CompareAndSwap(false, true) {
		w.tell(incident.NoticeStorm, true, "many incidents at once: the healer acts on nothing until they are fewer")
	}
}
