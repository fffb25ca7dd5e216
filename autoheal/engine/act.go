package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// act applies the remedy to the targets of the plan, one at a time: decided -> acting -> verifying. A target leaves the
// plan in the same transaction that records what came of it.
func (w *work) act(ctx context.Context) error {
	ladder := w.cfg.Playbook.Ladder(w.in.Diagnosis.Cause)
	if w.in.Rung >= len(ladder) {
		return w.escalate(ctx, "rung %d for %s is not in the playbook any more", w.in.Rung+1, w.in.Diagnosis.Cause)
	}
	for len(w.progress.Plan) > 0 {
		if err := w.actOn(ctx, ladder[w.in.Rung], w.progress.Plan[0]); err != nil {
			return err
		}
	}
	if err := w.cfg.Store.Release(ctx, w.in.Workload, w.in.ID); err != nil {
		return err
	}
	if w.in.State == incident.Decided {
		w.progress.Looks = looks - 1 // the live state has changed under us: one more look decides
		return w.move(ctx, incident.Received, "nothing was done: %s", w.lastDetail())
	}
	if last := w.in.Actions[len(w.in.Actions)-1]; last.Result == incident.ResultFailed {
		return w.escalate(ctx, "%s on %s failed: %s", last.Remedy, last.Target, last.Detail)
	}
	return w.move(ctx, incident.Verifying, "%s: %s", ladder[w.in.Rung].Remedy, w.lastDetail())
}

func (w *work) lastDetail() string {
	if len(w.in.Actions) == 0 {
		return "no action was needed"
	}
	return w.in.Actions[len(w.in.Actions)-1].Detail
}

func (w *work) actOn(ctx context.Context, rung playbook.Rung, target incident.Target) error {
	got, err := w.lease(ctx, rung)
	if err != nil {
		return err
	}
	unfinished := slices.IndexFunc(w.in.Actions, func(a incident.Action) bool { return a.FinishedAt == nil })
	resumed := unfinished >= 0
	happened := false
	if resumed {
		rung.Remedy = w.in.Actions[unfinished].Remedy // what was intended, whatever the playbook says by now
		w.note("note", "resuming the unfinished action %s", w.in.Actions[unfinished].Key)
		var known bool
		if happened, known = w.happened(ctx, target); !known {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return w.finish(ctx, remedy.Effect{
				Result: incident.ResultFailed,
				Detail: "the healer died before it could tell whether the action happened, and the live state of " + target.Name + " is unknown",
			})
		}
	}
	if !happened {
		refusal := "the lease on " + target.Workload + " was lost to another incident"
		if got {
			refusal, err = w.recheck(ctx, rung, target)
		}
		switch {
		case err != nil:
			return err
		case refusal != "" && resumed:
			return w.finish(ctx, remedy.Effect{Result: incident.ResultSkipped, Detail: refusal})
		case refusal != "":
			return w.skip(ctx, rung, target, refusal)
		}
	}
	if !resumed {
		if err := w.intend(ctx, rung, target); err != nil {
			return err
		}
		unfinished = len(w.in.Actions) - 1
	}
	effect := w.apply(ctx, rung.Remedy, remedy.Application{
		Target: target, IntendedAt: w.in.Actions[unfinished].StartedAt, Timeout: rung.Timeout, Resumed: resumed,
		Recheck: func(ctx context.Context) (string, error) { return w.recheck(ctx, rung, target) },
	})
	if ctx.Err() != nil {
		return ctx.Err() // the healer is being stopped: the next one finds the intent and finishes
	}
	return w.finish(ctx, effect)
}

// happened says whether the effect of an intent that an earlier life of the healer left behind has begun: the replica is
// another start already, on its way there, or gone. It is not known where the workload list cannot be read.
func (w *work) happened(ctx context.Context, target incident.Target) (happened, known bool) {
	seen := w.examine(ctx)
	if ctx.Err() != nil || len(seen.Workloads) == 0 {
		return false, false
	}
	_, live, there := seen.Replica(target.Name)
	return !there || live.StartID != target.Is || live.State == workload.Stopping, true
}

// recheck reads the live state again, immediately before acting. It returns why the action must not happen, or "".
func (w *work) recheck(ctx context.Context, rung playbook.Rung, target incident.Target) (string, error) {
	seen := w.examine(ctx)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	w.seen = seen
	_, live, ok := seen.Replica(target.Name)
	switch {
	case !ok:
		return target.Name + " is not in the workload list", nil
	case live.StartID != target.Is:
		return fmt.Sprintf("somebody has started %s anew since it was judged (%s, now %s)", target.Name, target.Is, live.StartID), nil
	case seen.Diagnosis.Cause != w.in.Diagnosis.Cause || !slices.Contains(seen.Diagnosis.Subjects, target.Name):
		return fmt.Sprintf("%s does not show %s any more: %s", target.Name, w.in.Diagnosis.Cause, seen.Diagnosis.Summary), nil
	}
	w.note("evidence", "live state before acting on %s: %s", target.Name, seen.Diagnosis.Summary)
	decision, err := w.ask(ctx, rung, target, seen)
	if err != nil || decision.Allowed {
		return "", err
	}
	return decision.Reason, nil
}

func (w *work) action(rung playbook.Rung, target incident.Target) incident.Action {
	return incident.Action{
		Key:  fmt.Sprintf("%s/%d/%s", w.in.ID, w.in.Rung, target.Name),
		Rung: w.in.Rung, Remedy: rung.Remedy, Target: target.Name,
		Precondition: "start_id=" + target.Is, PreState: target.State, StartedAt: w.cfg.Now(),
	}
}

// intend records what is about to happen. No record, no action.
func (w *work) intend(ctx context.Context, rung playbook.Rung, target incident.Target) error {
	a := w.action(rung, target)
	w.in.Actions = append(w.in.Actions, a)
	w.effects = append(w.effects, w.effect(a, target.Workload))
	w.note("intent", "%s on %s (%s, %s)", a.Remedy, a.Target, a.Precondition, a.PreState)
	if w.in.State == incident.Acting {
		return w.save(ctx)
	}
	if err := w.move(ctx, incident.Acting, "%s on %s", a.Remedy, a.Target); err != nil {
		return err
	}
	w.metrics.acted(ctx, w.in.Stages)
	return nil
}

// skip records that nothing was done to a target, and why.
func (w *work) skip(ctx context.Context, rung playbook.Rung, target incident.Target, why string) error {
	w.in.Actions = append(w.in.Actions, w.action(rung, target))
	return w.finish(ctx, remedy.Effect{Result: incident.ResultSkipped, Detail: why})
}

// finish records what came of the action that is under way. After a failure nothing else is touched.
func (w *work) finish(ctx context.Context, effect remedy.Effect) error {
	if len(w.progress.Plan) == 0 {
		return errors.New("an action finished that no plan holds")
	}
	i := slices.IndexFunc(w.in.Actions, func(a incident.Action) bool { return a.FinishedAt == nil })
	a, now := &w.in.Actions[i], w.cfg.Now()
	a.FinishedAt, a.Result, a.Detail, a.ReplacedBy = &now, effect.Result, effect.Detail, effect.ReplacedBy
	w.effects = append(w.effects, w.effect(*a, w.progress.Plan[0].Workload))
	w.note("result", "%s on %s: %s: %s", a.Remedy, a.Target, a.Result, a.Detail)
	w.progress.Plan = w.progress.Plan[1:]
	if effect.Result == incident.ResultFailed && len(w.progress.Plan) > 0 {
		w.note("note", "%s left alone after the failure", replicas(w.progress.Plan))
		w.progress.Plan = nil
	}
	if err := w.save(ctx); err != nil {
		return err
	}
	w.metrics.finished(ctx, *a)
	return nil
}

func (w *work) effect(a incident.Action, owner string) incident.Effect {
	return incident.Effect{
		IncidentID: w.in.ID, Key: a.Key, Rung: a.Rung, Cause: w.in.Diagnosis.Cause, Remedy: a.Remedy, Workload: owner,
		Replica: a.Target, ReplacedBy: a.ReplacedBy, StartedAt: a.StartedAt, FinishedAt: a.FinishedAt, Result: a.Result,
	}
}
