package engine

import (
	"context"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
)

// propose hands the incident over with what would have been done to it: diagnosed -> escalated. Every guard but autonomy
// has allowed it, at this moment; whoever does it later must look again.
func (w *work) propose(ctx context.Context, rung playbook.Rung, targets []incident.Target, refusal guard.Decision) error {
	for _, t := range targets {
		w.note("note", "would have: %s on %s of %s (start_id=%s, %s), rung %d of %d, at most %s", rung.Remedy, t.Name, t.Workload,
			t.Is, t.State, w.in.Rung+1, len(w.cfg.Playbook.Ladder(w.in.Diagnosis.Cause)), rung.Timeout)
	}
	return w.escalate(ctx, "%s was diagnosed; the healer would have done %s on %s, one at a time, and nothing was done: %s",
		w.in.Diagnosis.Cause, rung.Remedy, replicas(targets), refusal.Reason)
}
