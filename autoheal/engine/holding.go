package engine

import (
	"context"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/verify"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

const (
	// passedLooks is how many looks in a row must show that the fault has passed before its change is taken back. It doubles
	// each time that this was too early, so that a fault that comes and goes is not met by a change that comes and goes.
	passedLooks = 3
	maxPassed   = 60
	// heldReadings is how many readings of a hold are kept: it may last long.
	heldReadings = 60
	// holdBad is how many bad readings in a row show that the change does not help any more.
	holdBad = 5
)

// stepOf is the rung that an action was made by, as the playbook has it now.
func (w *work) stepOf(a incident.Action) playbook.Rung {
	for _, cause := range w.cfg.Playbook.Causes() {
		for i, step := range w.cfg.Playbook.Ladder(cause) {
			if step.Remedy == a.Remedy && i == a.Rung {
				return step
			}
		}
	}
	return playbook.Rung{Remedy: a.Remedy, Timeout: undoTimeout}
}

// lasting is the change that stands for as long as the fault lasts, if there is one.
func (w *work) lasting() *incident.Action {
	for i := range w.in.Actions {
		if a := &w.in.Actions[i]; a.Changed() && a.Undo.Lasting {
			return a
		}
	}
	return nil
}

// renew keeps the changes alive that lapse by themselves. The kill switch lets them lapse.
func (w *work) renew(ctx context.Context) {
	now := w.cfg.Now()
	for i := range w.in.Actions {
		a := &w.in.Actions[i]
		renewer, can := w.remedies[a.Remedy].(remedy.Renewer)
		if !a.Changed() || !a.Undo.Lasting || !can || a.Undo.Until == nil {
			continue
		}
		step := w.stepOf(*a)
		ttl := step.Hold.TimeToLive
		if a.Undo.Until.Sub(now) > ttl*2/3 || w.stopped(ctx) != guard.SwitchOff {
			continue
		}
		until, err := renewer.Renew(ctx, remedy.Application{
			IncidentID: w.in.ID, Key: a.Key, Target: a.Undo.Target, Params: a.Undo.Params, IntendedAt: a.StartedAt,
			Timeout: step.Timeout, TimeToLive: ttl,
		})
		if err != nil {
			w.cfg.Logger.WarnContext(ctx, "a change could not be renewed; trying again", "incident", w.in.ID, "remedy", a.Remedy, "error", err)
			continue
		}
		a.Undo.Until = &until
	}
}

// holding keeps the change while the fault lasts, and looks for its end: holding -> reverting, or back to received where the
// change does not help any more.
func (w *work) holding(ctx context.Context) error {
	judge := &verify.Judge{Mitigated: w.mitigates()}
	for {
		a := w.lasting()
		if a == nil {
			return w.move(ctx, incident.Received, "no change stands any more: looking again")
		}
		w.renew(ctx)
		if _, _, err := w.read(ctx, judge); err != nil {
			return err
		}
		w.trim()
		passed, why, err := w.passed(ctx)
		gone := err == nil && w.gone(a)
		switch {
		case err != nil:
			return err
		case gone:
			return w.lapsed(ctx, a)
		case passed:
			w.progress.Passed = 0
			return w.revert(ctx, incident.After{State: incident.Stabilising, Reason: "the fault has passed: " + why})
		case judge.Bad() >= holdBad:
			w.progress.Looks = 0
			return w.verified(relapsed, w.move(ctx, incident.Received, "%s does not help any more: the edge was bad %d times in a row", a.Remedy, judge.Bad()))
		case w.stepOf(*a).Hold.AtMost > 0 && w.cfg.Now().Sub(a.StartedAt) > w.stepOf(*a).Hold.AtMost:
			return w.escalate(ctx, "%s has stood for %s and the fault has not passed (%s)", a.Remedy, w.cfg.Now().Sub(a.StartedAt).Round(time.Second), why)
		}
		if !pause(ctx, readEvery) {
			return ctx.Err()
		}
	}
}

// gone says whether the change is known not to stand any more.
func (w *work) gone(a *incident.Action) bool {
	there, known := stands(w.seen.sight(), a.Undo.Target)
	return known && !there
}

// lapsed follows a change that does not stand any more. If its time was over, the healer was away for too long and looks again;
// else somebody has taken it back, and has decided with that.
func (w *work) lapsed(ctx context.Context, a *incident.Action) error {
	now := w.cfg.Now()
	a.Undo.FinishedAt = &now
	if (a.Undo.Until == nil || now.Before(*a.Undo.Until)) && !w.restartedSince(a) {
		a.Undo.State, a.Undo.Detail = incident.Left, "somebody else has changed it since"
		return w.escalate(ctx, "%s of %s was taken back by somebody else", a.Remedy, a.Target)
	}
	a.Undo.State, a.Undo.Passed, a.Undo.Detail = incident.Undone, true, "it lapsed by itself, or with a restart of its carrier"
	w.note("undo", "%s of %s: %s", a.Remedy, a.Target, a.Undo.Detail)
	w.progress.Looks = 0
	return w.move(ctx, incident.Received, "%s has lapsed: looking again", a.Remedy)
}

// restartedSince says whether the carrier of a change has been started anew since it was made: it forgets then.
func (w *work) restartedSince(a *incident.Action) bool {
	carrier, _ := w.seen.sight().Workload(a.Undo.Target.Workload)
	return a.Kind == incident.EdgeTarget && slices.ContainsFunc(carrier.Replicas, func(r workload.Replica) bool {
		return r.StartedAt.After(a.StartedAt)
	})
}

// passed looks whether the fault has passed, often enough in a row.
func (w *work) passed(ctx context.Context) (bool, string, error) {
	seen := w.examine(ctx)
	if ctx.Err() != nil {
		return false, "", ctx.Err()
	}
	w.seen = seen
	var before []incident.Fact
	for _, f := range w.in.Evidence {
		if f.Round == w.progress.Baseline {
			before = append(before, f)
		}
	}
	passed, why := diagnose.Passed(w.in.Diagnosis.Cause, before, seen.Facts)
	if !passed {
		if w.progress.Passed > 0 {
			w.note("evidence", "the fault is there again after %d looks without it: %s", w.progress.Passed, why)
		}
		w.progress.Passed = 0
		return false, why, nil
	}
	w.progress.Passed++
	needed := min(passedLooks<<w.progress.Holds, maxPassed)
	w.note("evidence", "the fault seems to have passed (%d of %d looks): %s", w.progress.Passed, needed, why)
	return w.progress.Passed >= needed, why, nil
}

// mitigates says whether orders that were taken for later are what the standing change is for.
func (w *work) mitigates() bool {
	a := w.lasting()
	return a != nil && w.remedies[a.Remedy] != nil && w.remedies[a.Remedy].Traits().Mitigates
}

// trim forgets the oldest readings of a long hold.
func (w *work) trim() {
	if r := w.in.Verification.Readings; len(r) > 2*heldReadings {
		w.in.Verification.Readings = slices.Concat(r[:heldReadings], r[len(r)-heldReadings:])
	}
}
