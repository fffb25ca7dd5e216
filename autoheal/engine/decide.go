package engine

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/decide"
	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// decide chooses a remedy and asks the guards: diagnosed -> decided; or to a person for approval; or back to look again; or
// to an end.
func (w *work) decide(ctx context.Context) error {
	if w.seen == nil {
		return w.move(ctx, incident.Received, "the healer was restarted: looking again")
	}
	if w.in.Diagnosis.Cause == incident.Inconclusive {
		return w.undecided(ctx)
	}
	if w.progress.RungCause != w.in.Diagnosis.Cause { // another fault, or the same one seen better: its own ladder
		w.progress.RungCause, w.in.Rung = w.in.Diagnosis.Cause, 0
	}
	choice := w.choose()
	w.decided(choice)
	for _, passed := range choice.Passed {
		w.note("note", "%s", passed)
	}
	switch {
	case choice.Exhausted != "":
		return w.concluded("exhausted", choice.Exhausted, func() error { return w.escalate(ctx, "%s", choice.Exhausted) })
	case choice.Wait != "":
		return w.concluded("wait", choice.Wait, func() error {
			return w.refused(ctx, guard.Decision{Reason: choice.Wait, Soon: true})
		})
	case w.progress.Waves >= maxWaves:
		return w.escalate(ctx, "the healer has begun to act %d times, and it did not hold: %s", w.progress.Waves, w.in.Diagnosis.Summary)
	}
	w.in.Rung = choice.Rung
	if w.standing() {
		return w.replace(ctx, choice)
	}
	return w.consult(ctx, choice)
}

func (w *work) choose() decide.Choice {
	return decide.Choose(decide.Situation{
		Playbook: w.cfg.Playbook, Remedies: w.remedies, Sight: w.rootSight(), Actions: w.in.Actions, Rung: w.in.Rung,
	})
}

// rootSight is the last look with the diagnosis as it was taken into the record: of the workload at the root.
func (w *work) rootSight() remedy.Sight {
	seen := w.seen.sight()
	seen.Diagnosis = w.in.Diagnosis
	return seen
}

// replace takes back what did not help before the next rung is tried.
func (w *work) replace(ctx context.Context, choice decide.Choice) error {
	return w.revert(ctx, incident.After{
		State: incident.Received, Reason: "taken back before " + choice.Step.Remedy + " is tried: " + strings.Join(choice.Passed, "; "),
	})
}

// consult asks the guards for each target: what they allow is done.
func (w *work) consult(ctx context.Context, choice decide.Choice) error {
	plan, withheld, refusal, err := w.plan(ctx, choice)
	switch {
	case err != nil:
		return err
	case len(plan) == 0 && len(withheld) > 0 && w.cfg.Limits.Autonomy == guard.Observe:
		return w.concluded("proposed", refusal.Reason, func() error { return w.propose(ctx, choice, withheld, refusal) })
	case len(plan) == 0 && len(withheld) > 0:
		return w.concluded("asked", refusal.Reason, func() error { return w.askPerson(ctx, choice, withheld, refusal) })
	case len(plan) == 0 && refusal.NextRung && choice.Rung+1 < len(w.cfg.Playbook.Ladder(w.in.Diagnosis.Cause)):
		return w.concluded("refused", refusal.Reason, func() error {
			w.note("note", "rung %d, %s, is refused, and the next rung may be right: %s", choice.Rung+1, choice.Step.Remedy, refusal.Reason)
			w.in.Rung++
			return w.decide(ctx)
		})
	case len(plan) == 0:
		return w.concluded("refused", refusal.Reason, func() error { return w.refused(ctx, refusal) })
	}
	got, err := w.lease(ctx, choice.Step)
	if err != nil {
		return err
	}
	if !got {
		return w.refused(ctx, guard.Decision{Reason: "another incident has just begun to act on " + w.in.Workload, Soon: true})
	}
	w.progress.Plan = plan
	w.progress.Looks, w.progress.Refusals = 0, 0
	w.progress.Waves++
	w.progress.Baseline = w.in.Diagnosis.Round
	stands := w.in.Diagnosis
	w.progress.Stands = &stands
	return w.concluded("decided", "", func() error {
		return w.move(ctx, incident.Decided, "%s on %s, rung %d of %d for %s", choice.Step.Remedy, targetNames(plan), w.in.Rung+1,
			len(w.cfg.Playbook.Ladder(w.in.Diagnosis.Cause)), w.in.Diagnosis.Cause)
	})
}

// seen is what targets were chosen from, as it is recorded.
type seen struct {
	Workloads []workload.Workload `json:"workloads"`
	Edge      *edge.State         `json:"edge"`
}

// decided records the choice: replay makes it again from the same facts.
func (w *work) decided(choice decide.Choice) {
	raw, err := json.Marshal(seen{w.seen.Workloads, w.seen.Edge})
	if err != nil {
		w.note("note", "what the choice was made from could not be recorded: %v", err)
	}
	d := incident.Decision{
		At: w.cfg.Now(), Round: w.in.Diagnosis.Round, Cause: w.in.Diagnosis.Cause, From: w.in.Rung, Rung: choice.Rung, Remedy: choice.Step.Remedy,
		Actions: len(w.in.Actions), Seen: raw,
	}
	for _, t := range choice.Targets {
		d.Targets = append(d.Targets, t.Name)
	}
	w.in.Decisions = append(w.in.Decisions, d)
}

// concluded writes what came of the last choice, together with what follows from it.
func (w *work) concluded(result, reason string, then func() error) error {
	d := &w.in.Decisions[len(w.in.Decisions)-1]
	d.Result, d.Reason = result, reason
	return then()
}

// undecided looks once more where there is hope, and ends the incident where there is none.
func (w *work) undecided(ctx context.Context) error {
	more, err := w.moreAlerts(ctx)
	if err != nil {
		return err
	}
	again := func(wait time.Duration) error {
		if err := w.move(ctx, incident.Received, "looking again in %s: %s", wait.Round(time.Millisecond), w.in.Diagnosis.Summary); err != nil {
			return err
		}
		pause(ctx, wait)
		return nil
	}
	scrapes := float64(w.cfg.Now().Sub(w.progress.LookingSince)) / float64(w.cfg.ScrapeInterval)
	switch {
	case w.seen.Harmless && w.progress.Looks < harmlessLooks:
		return again(max(w.seen.LookAgainIn, readEvery))
	case w.progress.Looks < looks || more:
		return again(w.seen.LookAgainIn)
	case w.seen.Gone:
		return w.over(ctx)
	case scrapes < fresh && !w.seen.Harmless:
		return again(max(w.seen.LookAgainIn, w.cfg.ScrapeInterval/8))
	case scrapes < settled && !w.seen.Harmless:
		return again(max(w.seen.LookAgainIn, w.cfg.ScrapeInterval/2))
	case w.seen.Harmless:
		return w.end(ctx, incident.Closed, incident.Harmless, "%s, %d looks in a row: nothing was done", w.in.Diagnosis.Summary, w.progress.Looks)
	default:
		return w.escalate(ctx, "%s (after %d gatherings)", w.in.Diagnosis.Summary, w.progress.Looks)
	}
}

// over ends an incident whose symptom is gone. Where the healer acted, and the edge had proved it, it has recovered.
func (w *work) over(ctx context.Context) error {
	if w.acted() == 0 {
		return w.end(ctx, incident.Closed, incident.SelfRecovered, "%s, %d times in a row: nothing was done", w.in.Diagnosis.Summary, looks)
	}
	summary := w.in.Diagnosis.Summary
	if w.progress.Stands != nil { // what it was, and not that it is over, is what the record is about
		w.in.Diagnosis = *w.progress.Stands
	}
	outcome := incident.SelfRecovered
	if w.in.Stages.Verified != nil {
		outcome = incident.Recovered
	}
	return w.end(ctx, incident.Closed, outcome, "%s, %d times in a row: nothing more was done", summary, looks)
}

// plan asks the guards for each target and returns those that may be acted on, and those on which autonomy alone keeps the
// healer from acting. The refusal is the last one.
func (w *work) plan(ctx context.Context, choice decide.Choice) (targets, withheld []incident.Target, refusal guard.Decision, err error) {
	for _, target := range choice.Targets {
		decision, err := w.ask(ctx, choice, target, w.seen)
		if err != nil {
			return nil, nil, refusal, err
		}
		switch {
		case decision.Allowed:
			targets = append(targets, target)
		case decision.Withheld:
			withheld, refusal = append(withheld, target), decision
		case len(withheld) == 0:
			refusal = decision
		}
	}
	return targets, withheld, refusal, nil
}

// refused waits where waiting can lift the refusal soon enough; else a person must know at once.
func (w *work) refused(ctx context.Context, d guard.Decision) error {
	w.storm(d)
	now := w.cfg.Now()
	if w.progress.Refusals == 0 || w.progress.RefusedSince.IsZero() {
		w.progress.RefusedSince = now
	}
	left := w.cfg.Patience - now.Sub(w.progress.RefusedSince)
	liftable := d.Soon || !d.Until.IsZero()
	if !liftable || left <= 0 || d.Until.Sub(now) > left {
		return w.escalate(ctx, "%s was diagnosed, but acting is refused: %s", w.in.Diagnosis.Cause, d.Reason)
	}
	w.progress.Refusals++
	w.progress.Looks = 0
	wait := max(afterRefusal, w.cfg.ScrapeInterval/2, min(d.Until.Sub(now), longRefusal))
	if err := w.move(ctx, incident.Received, "acting is refused for now, looking again in %s: %s", wait, d.Reason); err != nil {
		return err
	}
	pause(ctx, wait)
	return nil
}

func targetNames(targets []incident.Target) string {
	var names []string
	for _, t := range targets {
		names = append(names, t.Name)
	}
	return strings.Join(names, ", ")
}
