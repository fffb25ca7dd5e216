package engine

import (
	"context"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

const (
	// undoAttempts and undoPause are how often, and after which pause, taking a change back is tried.
	undoAttempts = 5
	undoPause    = 2 * time.Second
	// undoTimeout bounds one attempt where the rung is not in the playbook any more.
	undoTimeout = 15 * time.Second
)

// standing says whether the incident has changed something that is not taken back yet.
func (w *work) standing() bool { return slices.ContainsFunc(w.in.Actions, incident.Action.Changed) }

// revert begins to take back whatever stands: -> reverting.
func (w *work) revert(ctx context.Context, after incident.After) error {
	w.progress.After = &after
	w.progress.Plan = nil
	return w.move(ctx, incident.Reverting, "%s", after.Reason)
}

// undo takes the changes back, the last one first: reverting -> where it was to go afterwards.
func (w *work) undo(ctx context.Context) error {
	after := w.progress.After
	if after == nil {
		after = &incident.After{State: incident.Escalated, Outcome: incident.HandedOver, Reason: "nobody knows why changes were being taken back"}
	}
	for i := len(w.in.Actions) - 1; i >= 0; i-- {
		if !w.in.Actions[i].Changed() {
			continue
		}
		if err := w.undoOne(ctx, i, after); err != nil {
			return err
		}
	}
	if err := w.cfg.Store.Release(ctx, w.in.Workload, w.in.ID); err != nil {
		return err
	}
	more, err := w.moreAlerts(ctx)
	if err != nil {
		return err
	}
	w.progress.After = nil
	if i := slices.IndexFunc(w.in.Actions, left); i >= 0 && after.State != incident.Escalated {
		return w.escalate(ctx, "%s of %s could not be taken back: %s", w.in.Actions[i].Remedy, w.in.Actions[i].Target, w.in.Actions[i].Undo.Detail)
	}
	switch {
	case after.State.Open():
		return w.move(ctx, after.State, "%s", after.Reason)
	case more && after.State == incident.Closed:
		w.progress.Looks = 0
		return w.move(ctx, incident.Received, "alerts came while changes were taken back (%s): looking again", after.Reason)
	}
	return w.end(ctx, after.State, after.Outcome, "%s", after.Reason)
}

func left(a incident.Action) bool { return a.Undo != nil && a.Undo.State == incident.Left }

// undoOne takes one change back: the intent first, then the effect, as often as it may take.
func (w *work) undoOne(ctx context.Context, i int, after *incident.After) error {
	change := w.in.Actions[i].Undo
	if change.State == incident.Standing {
		now := w.cfg.Now()
		change.State, change.StartedAt, change.Passed = incident.Undoing, &now, after.State == incident.Stabilising
		w.note("undo", "taking back %s of %s (%s to %s)", w.in.Actions[i].Remedy, w.in.Actions[i].Target, change.Target.To, change.Target.Is)
		if err := w.save(ctx); err != nil {
			return err
		}
	}
	undoer, can := w.remedies[w.in.Actions[i].Remedy].(remedy.Undoer)
	if !can {
		return w.undone(ctx, i, incident.Left, "this healer has no remedy that could take it back")
	}
	var effect remedy.Effect
	for attempt := 1; ; attempt++ {
		if got, err := w.lease(ctx, w.stepOf(w.in.Actions[i])); err != nil {
			return err
		} else if got {
			if effect = w.takeBack(ctx, undoer, i); ctx.Err() != nil {
				return ctx.Err()
			}
		} else {
			effect = remedy.Effect{Result: incident.ResultFailed, Detail: "another incident acts on " + w.in.Workload}
		}
		if effect.Result != incident.ResultFailed || attempt == undoAttempts {
			break
		}
		w.note("undo", "attempt %d of %d failed: %s", attempt, undoAttempts, effect.Detail)
		if !pause(ctx, undoPause) {
			return ctx.Err()
		}
	}
	if effect.Result == incident.ResultDone {
		return w.undone(ctx, i, incident.Undone, effect.Detail)
	}
	return w.undone(ctx, i, incident.Left, effect.Detail)
}

// takeBack asks the kill switch, and then the remedy. Nothing else can refuse an undo.
func (w *work) takeBack(ctx context.Context, undoer remedy.Undoer, i int) remedy.Effect {
	change := w.in.Actions[i].Undo
	if w.stopped(ctx) == guard.SwitchOn {
		return remedy.Effect{Result: incident.ResultSkipped, Detail: "the kill switch is on, so nothing is done" + lapses(change.Until)}
	}
	ctx, span := w.actionSpan(ctx, undoer.Name()+".undo", change.Target)
	defer span.End()
	return undoer.Undo(ctx, remedy.Application{
		IncidentID: w.in.ID, Key: w.in.Actions[i].Key, Target: change.Target, Params: change.Params, IntendedAt: *change.StartedAt,
		Timeout: w.stepOf(w.in.Actions[i]).Timeout, Resumed: true,
	})
}

func lapses(until *time.Time) string {
	if until == nil {
		return ""
	}
	return "; it lapses by itself at " + until.UTC().Format(time.TimeOnly)
}

func (w *work) undone(ctx context.Context, i int, state incident.ChangeState, detail string) error {
	a, now := &w.in.Actions[i], w.cfg.Now()
	a.Undo.State, a.Undo.FinishedAt, a.Undo.Detail = state, &now, detail
	w.note("undo", "%s of %s: %s: %s", a.Remedy, a.Target, state, detail)
	w.tell(incident.NoticeUndone, state == incident.Left, "%s of %s: %s: %s", a.Remedy, a.Target, state, detail)
	w.metrics.undone.WithLabelValues(a.Remedy, string(state)).Inc()
	return w.save(ctx)
}
