package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
)

// decide chooses a remedy and asks the guards: diagnosed -> decided; or back to look again; or to an end.
func (w *work) decide(ctx context.Context) error {
	if w.seen == nil {
		return w.move(ctx, incident.Received, "the healer was restarted: looking again")
	}
	if w.in.Diagnosis.Cause == incident.Inconclusive {
		return w.undecided(ctx)
	}
	rung, why := w.chooseRung()
	if why != "" {
		return w.escalate(ctx, "%s", why)
	}
	plan, withheld, refusal, err := w.plan(ctx, rung)
	switch {
	case err != nil:
		return err
	case len(plan) == 0 && len(withheld) > 0:
		return w.propose(ctx, rung, withheld, refusal)
	case len(plan) == 0:
		return w.refused(ctx, refusal)
	}
	got, err := w.lease(ctx, rung)
	if err != nil {
		return err
	}
	if !got {
		return w.refused(ctx, guard.Decision{Reason: "another incident has just begun to act on " + w.in.Workload, Soon: true})
	}
	w.progress.Plan = plan
	w.progress.Looks, w.progress.Refusals = 0, 0
	w.progress.Waves++
	return w.move(ctx, incident.Decided, "%s on %s, rung %d of %d for %s", rung.Remedy, replicas(plan), w.in.Rung+1,
		len(w.cfg.Playbook.Ladder(w.in.Diagnosis.Cause)), w.in.Diagnosis.Cause)
}

// undecided looks once more where there is hope, and ends the incident where there is none.
func (w *work) undecided(ctx context.Context) error {
	more, err := w.moreAlerts(ctx)
	if err != nil {
		return err
	}
	switch {
	case w.progress.Looks < looks || more:
		wait := w.seen.LookAgainIn
		if err := w.move(ctx, incident.Received, "looking again in %s: %s", wait.Round(time.Millisecond), w.in.Diagnosis.Summary); err != nil {
			return err
		}
		pause(ctx, wait)
		return nil
	case w.seen.Gone:
		return w.end(ctx, incident.Closed, incident.SelfRecovered, "%s, %d times in a row: nothing was done", w.in.Diagnosis.Summary, looks)
	default:
		return w.escalate(ctx, "%s (after %d gatherings)", w.in.Diagnosis.Summary, w.progress.Looks)
	}
}

// chooseRung takes the next rung when the present one was already tried on a replica that is sick again. A replica that
// has only now fallen ill gets the same rung: nothing was tried on it yet.
func (w *work) chooseRung() (playbook.Rung, string) {
	ladder := w.cfg.Playbook.Ladder(w.in.Diagnosis.Cause)
	if len(ladder) == 0 {
		return playbook.Rung{}, fmt.Sprintf("the playbook has no ladder for %s", w.in.Diagnosis.Cause)
	}
	if again := w.triedAgain(); len(again) > 0 {
		w.note("note", "rung %d did not hold: %s shows %s again", w.in.Rung+1, strings.Join(again, ", "), w.in.Diagnosis.Cause)
		w.in.Rung++
	}
	switch {
	case w.in.Rung >= len(ladder):
		return playbook.Rung{}, fmt.Sprintf("the ladder for %s is exhausted after %d rungs: %s", w.in.Diagnosis.Cause, len(ladder),
			w.in.Diagnosis.Summary)
	case w.progress.Waves >= maxWaves:
		return playbook.Rung{}, fmt.Sprintf("the healer has begun to act %d times, and it did not hold: %s", w.progress.Waves,
			w.in.Diagnosis.Summary)
	}
	return ladder[w.in.Rung], ""
}

// triedAgain are the sick replicas on which the present rung was tried, or on those whose place they took. Where all of
// those are gone, any sick replica may have taken the place.
func (w *work) triedAgain() []string {
	var again []string
	for _, a := range w.in.Actions {
		if a.Rung != w.in.Rung || a.Result == incident.ResultSkipped {
			continue
		}
		heirs := append([]string{a.Target}, a.ReplacedBy...)
		lost := !slices.ContainsFunc(heirs, func(replica string) bool { _, _, there := w.seen.Replica(replica); return there })
		for _, replica := range w.in.Diagnosis.Subjects {
			if (lost || slices.Contains(heirs, replica)) && !slices.Contains(again, replica) {
				again = append(again, replica)
			}
		}
	}
	return again
}

// plan asks the guards for each sick replica and returns those that may be acted on, and those on which autonomy alone
// keeps the healer from acting. The refusal is the last one.
func (w *work) plan(ctx context.Context, rung playbook.Rung) (targets, withheld []incident.Target, refusal guard.Decision, err error) {
	refusal = guard.Decision{Reason: "the replicas that show the cause are not in the workload list", Soon: true}
	for _, replica := range w.in.Diagnosis.Subjects {
		owner, live, ok := w.seen.Replica(replica)
		if !ok {
			continue
		}
		target := incident.Target{Kind: incident.ReplicaTarget, Workload: owner.Name, Name: replica, Is: live.StartID, State: live.State}
		decision, err := w.ask(ctx, rung, target, w.seen)
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
	now := w.cfg.Now()
	waited := time.Duration(w.progress.Refusals) * afterRefusal
	liftable := d.Soon || !d.Until.IsZero()
	if !liftable || waited >= w.cfg.Patience || d.Until.Sub(now) > w.cfg.Patience-waited {
		return w.escalate(ctx, "%s was diagnosed, but acting is refused: %s", w.in.Diagnosis.Cause, d.Reason)
	}
	w.progress.Refusals++
	w.progress.Looks = 0
	if err := w.move(ctx, incident.Received, "acting is refused for now, looking again in %s: %s", afterRefusal, d.Reason); err != nil {
		return err
	}
	pause(ctx, afterRefusal)
	return nil
}

func replicas(targets []incident.Target) string {
	var names []string
	for _, t := range targets {
		names = append(names, t.Name)
	}
	return strings.Join(names, ", ")
}
