package engine

import (
	"context"

	"github.com/faultline-lab/faultline/autoheal/decide"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// propose hands the incident over with what would have been done to it: diagnosed -> escalated. Every guard but autonomy
// has allowed it, at this moment; whoever does it later must look again.
func (w *work) propose(ctx context.Context, choice decide.Choice, targets []incident.Target, refusal guard.Decision) error {
	for _, t := range targets {
		w.note("note", "would have: %s on %s of %s (%s, %s), rung %d of %d, at most %s", choice.Step.Remedy, t.Name, t.Workload,
			precondition(t), t.State, w.in.Rung+1, len(w.cfg.Playbook.Ladder(w.in.Diagnosis.Cause)), choice.Step.Timeout)
	}
	return w.escalate(ctx, "%s was diagnosed; the healer would have done %s on %s, one at a time, and nothing was done: %s",
		w.in.Diagnosis.Cause, choice.Step.Remedy, targetNames(targets), refusal.Reason)
}
