package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/faultline-lab/faultline/autoheal/decide"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// act applies the remedy to the targets of the plan, one at a time: decided -> acting -> verifying. A target leaves the
// plan in the same transaction that records what came of it.
func (w *work) act(ctx context.Context) error {
	choice, ok := w.current()
	if !ok {
		return w.escalate(ctx, "rung %d for %s is not in the playbook any more", w.in.Rung+1, w.in.Diagnosis.Cause)
	}
	for len(w.progress.Plan) > 0 {
		if err := w.actOn(ctx, choice, w.progress.Plan[0]); err != nil {
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
		return w.failed(ctx, last)
	}
	return w.move(ctx, incident.Verifying, "%s: %s", choice.Step.Remedy, w.lastDetail())
}

// current is the rung that the incident stands on, without targets.
func (w *work) current() (decide.Choice, bool) {
	ladder := w.cfg.Playbook.Ladder(w.in.Diagnosis.Cause)
	if w.in.Rung >= len(ladder) || w.remedies[ladder[w.in.Rung].Remedy] == nil {
		return decide.Choice{}, false
	}
	step := ladder[w.in.Rung]
	return decide.Choice{Rung: w.in.Rung, Step: step, Remedy: w.remedies[step.Remedy]}, true
}

// failed follows an action that could not be done: three of them, or no further rung, and a person gets the incident. What
// it may have changed is taken back before the next rung.
func (w *work) failed(ctx context.Context, last incident.Action) error {
	failures := 0
	for _, a := range w.in.Actions {
		if a.Result == incident.ResultFailed {
			failures++
		}
	}
	reason := fmt.Sprintf("%s on %s failed: %s", last.Remedy, last.Target, last.Detail)
	ladder := w.cfg.Playbook.Ladder(w.in.Diagnosis.Cause)
	if failures >= maxFailures || w.in.Rung+1 >= len(ladder) || last.Undo == nil {
		return w.escalate(ctx, "%s", reason)
	}
	w.in.Rung++
	w.progress.Looks = 0
	return w.revert(ctx, incident.After{State: incident.Received, Reason: reason + ": next rung"})
}

func (w *work) lastDetail() string {
	if len(w.in.Actions) == 0 {
		return "no action was needed"
	}
	return w.in.Actions[len(w.in.Actions)-1].Detail
}

func (w *work) unfinished() int {
	return slices.IndexFunc(w.in.Actions, func(a incident.Action) bool { return a.FinishedAt == nil })
}

func (w *work) actOn(ctx context.Context, choice decide.Choice, target incident.Target) error {
	got, err := w.lease(ctx, choice.Step)
	if err != nil {
		return err
	}
	resumed := w.unfinished() >= 0
	happened := false
	if resumed {
		w.resume(&choice)
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
		refusal := "the lease on " + w.in.Workload + " was lost to another incident"
		if got {
			refusal, err = w.recheck(ctx, choice, target)
		}
		arrived := false
		if refusal != "" && resumed && got && err == nil {
			arrived, _ = begun(w.seen, target) // between the two looks: what refuses it may be our own effect
		}
		switch {
		case err != nil:
			return err
		case arrived:
			w.note("note", "the effect of the resumed action has come meanwhile")
		case refusal != "" && resumed:
			return w.finish(ctx, remedy.Effect{Result: incident.ResultSkipped, Detail: refusal})
		case refusal != "":
			return w.skip(ctx, choice, target, refusal)
		}
	}
	if !resumed {
		if err := w.intend(ctx, choice, target); err != nil {
			return err
		}
	}
	return w.carryOut(ctx, choice, target, resumed)
}

// resume takes the remedy of the intent that an earlier life has left, whatever the playbook says by now.
func (w *work) resume(choice *decide.Choice) {
	a := w.in.Actions[w.unfinished()]
	w.note("note", "resuming the unfinished action %s", a.Key)
	if r := w.remedies[a.Remedy]; r != nil {
		choice.Step.Remedy, choice.Remedy = a.Remedy, r
	}
	if a.Undo != nil {
		choice.Step.With = a.Undo.Params
	}
}

func (w *work) carryOut(ctx context.Context, choice decide.Choice, target incident.Target, resumed bool) error {
	a := w.in.Actions[w.unfinished()]
	before, _ := w.cfg.Edge.Read(ctx)
	effect := w.apply(ctx, choice.Remedy, remedy.Application{
		IncidentID: w.in.ID, Key: a.Key, Target: target, Params: choice.Step.With, IntendedAt: a.StartedAt, Timeout: choice.Step.Timeout, Resumed: resumed,
		TimeToLive: choice.Step.Hold.TimeToLive,
		Recheck:    func(ctx context.Context) (string, error) { return w.recheck(ctx, choice, target) },
	})
	if ctx.Err() != nil {
		return ctx.Err() // the healer is being stopped: the next one finds the intent and finishes
	}
	harmed := 0.0
	if after, err := w.cfg.Edge.Read(ctx); err == nil && before != nil && w.seen != nil {
		harmed = w.harmed(before, after)
	}
	return w.finishHarmed(ctx, effect, harmed)
}

// recheck reads the live state again, immediately before acting. It returns why the action must not happen, or "".
func (w *work) recheck(ctx context.Context, choice decide.Choice, target incident.Target) (string, error) {
	seen := w.examine(ctx)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	w.seen = seen
	if seen.Diagnosis.Cause != w.in.Diagnosis.Cause {
		return fmt.Sprintf("%s does not show %s any more: %s", target.Name, w.in.Diagnosis.Cause, seen.Diagnosis.Summary), nil
	}
	if why := moved(seen.sight(), choice, target); why != "" {
		return why, nil
	}
	w.note("evidence", "live state before acting on %s: %s", target.Name, seen.Diagnosis.Summary)
	decision, err := w.ask(ctx, choice, target, seen)
	if err != nil || decision.Allowed {
		return "", err
	}
	return decision.Reason, nil
}

// moved says why a target is not what it was when it was judged; empty where it is.
func moved(seen remedy.Sight, choice decide.Choice, target incident.Target) string {
	targets, why := choice.Remedy.Targets(seen, choice.Step.With)
	at := slices.IndexFunc(targets, func(t incident.Target) bool { return t.Kind == target.Kind && t.Name == target.Name })
	switch {
	case at < 0 && target.Kind == incident.ReplicaTarget && !seen.HasReplica(target.Name):
		return target.Name + " is not in the workload list"
	case at < 0 && len(targets) == 0:
		return fmt.Sprintf("%s is no target of %s any more: %s", target.Name, choice.Step.Remedy, why)
	case at < 0:
		return fmt.Sprintf("%s does not show %s any more: %s", target.Name, seen.Diagnosis.Cause, seen.Diagnosis.Summary)
	case target.Kind != incident.SessionsTarget && targets[at].Is != target.Is:
		return fmt.Sprintf("somebody has changed %s since it was judged (%s, now %s)", target.Name, target.Is, targets[at].Is)
	}
	return ""
}

func (w *work) action(choice decide.Choice, target incident.Target) incident.Action {
	return incident.Action{
		Key:  fmt.Sprintf("%s/%d/%d/%s", w.in.ID, w.progress.Waves, choice.Rung, target.Name),
		Rung: choice.Rung, Remedy: choice.Step.Remedy, Kind: target.Kind, Target: target.Name,
		Precondition: precondition(target), PreState: target.State, StartedAt: w.cfg.Now(),
	}
}

// precondition says in a word what must still be so when the effect happens.
func precondition(t incident.Target) string {
	switch t.Kind {
	case incident.ReplicaTarget:
		return "start_id=" + t.Is
	case incident.SessionsTarget:
		return fmt.Sprintf("%d sessions by pid and start", len(t.Sessions))
	}
	return t.Is + " -> " + t.To
}

// intend records what is about to happen, and what there will be to take back. No record, no action.
func (w *work) intend(ctx context.Context, choice decide.Choice, target incident.Target) error {
	a := w.action(choice, target)
	if _, can := choice.Remedy.(remedy.Undoer); can && target.To != "" {
		a.Undo = &incident.Undo{
			Target: target, Params: choice.Step.With, Lasting: choice.Remedy.Traits().Lasting, State: incident.Standing,
		}
	}
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
func (w *work) skip(ctx context.Context, choice decide.Choice, target incident.Target, why string) error {
	w.in.Actions = append(w.in.Actions, w.action(choice, target))
	return w.finish(ctx, remedy.Effect{Result: incident.ResultSkipped, Detail: why})
}

// finish records what came of an action that cost nobody anything.
func (w *work) finish(ctx context.Context, effect remedy.Effect) error {
	return w.finishHarmed(ctx, effect, 0)
}

// finishHarmed records what came of the action that is under way, and how many checkouts it cost. After a failure nothing
// else is touched.
func (w *work) finishHarmed(ctx context.Context, effect remedy.Effect, harmed float64) error {
	if len(w.progress.Plan) == 0 {
		return errors.New("an action finished that no plan holds")
	}
	a, now := &w.in.Actions[w.unfinished()], w.cfg.Now()
	a.FinishedAt, a.Result, a.Detail, a.ReplacedBy = &now, effect.Result, effect.Detail, effect.ReplacedBy
	switch {
	case a.Undo != nil && effect.Result == incident.ResultSkipped:
		a.Undo = nil // nothing was changed
	case a.Undo != nil:
		a.Undo.Until = effect.Until
	}
	entry := w.effect(*a, w.progress.Plan[0].Workload)
	entry.Harmed = harmed
	w.effects = append(w.effects, entry)
	w.note("result", "%s on %s: %s: %s", a.Remedy, a.Target, a.Result, a.Detail)
	if effect.Result != incident.ResultSkipped {
		w.tell(incident.NoticeActed, false, "%s on %s: %s: %s", a.Remedy, a.Target, a.Result, a.Detail)
	}
	w.progress.Plan = w.progress.Plan[1:]
	if effect.Result == incident.ResultFailed && len(w.progress.Plan) > 0 {
		w.note("note", "%s left alone after the failure", targetNames(w.progress.Plan))
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
