package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/verify"
)

// prove waits until the edge's own SLI has been good often enough in a row: verifying -> stabilising. Where it is not in
// time, the next rung follows.
func (w *work) prove(ctx context.Context) error {
	choice, ok := w.current()
	if !ok {
		return w.escalate(ctx, "rung %d for %s is not in the playbook any more", w.in.Rung+1, w.in.Diagnosis.Cause)
	}
	rung := choice.Step
	w.in.Verification.Source, w.in.Verification.Required = w.cfg.Edge.Source(), rung.Readings
	if left, err := w.stillSick(ctx); left || err != nil {
		return err
	}
	judge := &verify.Judge{Mitigated: w.mitigates()}
	deadline := w.cfg.Now().Add(rung.Within)
	for w.cfg.Now().Before(deadline) {
		w.renew(ctx)
		reading, ok, err := w.read(ctx, judge)
		if err != nil {
			return err
		}
		if judge.Good() >= rung.Readings {
			return w.verified(proved, w.move(ctx, incident.Stabilising, "the edge was good %d times in a row (the last: %g of %g checkouts)",
				judge.Good(), reading.Good+reading.Accepted, reading.Total))
		}
		if ok && reading.Status == incident.Known && !reading.OK {
			if left, err := w.stillSick(ctx); left || err != nil {
				return err
			}
		}
		if !pause(ctx, readEvery) {
			return ctx.Err()
		}
	}
	return w.nextRung(ctx, rung)
}

// nextRung follows a remedy that did not help: what it changed is taken back first.
func (w *work) nextRung(ctx context.Context, rung playbook.Rung) error {
	if w.in.Rung+1 >= len(w.cfg.Playbook.Ladder(w.in.Diagnosis.Cause)) {
		return w.verified(notProved, w.escalate(ctx, "the edge was not good %d times in a row within %s, and the ladder for %s has no further rung",
			rung.Readings, rung.Within, w.in.Diagnosis.Cause))
	}
	w.in.Rung++
	w.progress.Looks = 0
	reason := fmt.Sprintf("the edge was not good %d times in a row within %s: next rung", rung.Readings, rung.Within)
	if w.standing() {
		return w.verified(notProved, w.revert(ctx, incident.After{State: incident.Received, Reason: reason}))
	}
	return w.verified(notProved, w.move(ctx, incident.Received, "%s", reason))
}

// stillSick looks whether the cause is seen (still, again, or only now), and goes back to Received if so: a fault that
// reaches the replicas one after another must not wait for the proof to fail. Where the remedy does not end the cause but
// only its harm, or does nothing at all, only the proof tells.
func (w *work) stillSick(ctx context.Context) (bool, error) {
	if choice, ok := w.current(); ok && (choice.Remedy.Traits().Lasting || choice.Remedy.Traits().Harmless) {
		return false, nil
	}
	seen := w.examine(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if seen.Diagnosis.Cause == incident.Inconclusive {
		return false, nil
	}
	w.progress.Looks = 0
	return true, w.verified(stillSick, w.move(ctx, incident.Received, "not over yet: %s", seen.Diagnosis.Summary))
}

// verified counts a verification once its result is on disk.
func (w *work) verified(result string, err error) error {
	if err == nil {
		w.metrics.verifications.WithLabelValues(result).Inc()
	}
	return err
}

// read takes one reading of the edge into the record. The first look of a judge is only its base, and no reading.
func (w *work) read(ctx context.Context, judge *verify.Judge) (incident.Reading, bool, error) {
	counts, err := w.readProof(ctx)
	if ctx.Err() != nil {
		return incident.Reading{}, false, ctx.Err()
	}
	reading, ok := judge.Take(w.cfg.Now(), counts, err)
	if err != nil {
		w.cfg.Logger.WarnContext(ctx, "the edge could not be read", "incident", w.in.ID, "error", err)
	}
	if !ok {
		return reading, false, nil
	}
	w.in.Verification.Readings = append(w.in.Verification.Readings, reading)
	w.metrics.read(reading)
	return reading, true, w.save(ctx)
}

// readProof reads the edge, and where it can see to it that something passes, it does.
func (w *work) readProof(ctx context.Context) (verify.Readout, error) {
	if p, can := w.cfg.Edge.(Prober); can {
		return p.ReadOrProbe(ctx)
	}
	return w.cfg.Edge.Read(ctx)
}

// hold watches the edge for a while after the proof: stabilising -> closed, or holding where a change stands for as long as
// the fault lasts, or a relapse.
func (w *work) hold(ctx context.Context) error {
	judge := &verify.Judge{Mitigated: w.mitigates()}
	begun, bad := w.cfg.Now(), 0
	for {
		w.renew(ctx)
		reading, ok, err := w.read(ctx, judge)
		if err != nil {
			return err
		}
		if ok && reading.Status == incident.Known && !reading.OK {
			bad++
		}
		if bad >= relapseAfter {
			return w.relapse(ctx, "the edge was bad %d times", bad)
		}
		if left, err := w.alertsWithin(ctx); left || err != nil {
			return err
		}
		held := w.cfg.Now().Sub(begun)
		switch {
		case w.lasting() != nil && judge.Good() >= w.in.Verification.Required:
			return w.verified(stayedGood, w.move(ctx, incident.Holding, "well as long as %s stands: waiting for the fault to pass", w.lasting().Remedy))
		case held >= w.cfg.Stabilise && judge.Good() >= w.in.Verification.Required:
			return w.verified(stayedGood, w.endWell(ctx))
		case held >= 2*w.cfg.Stabilise+5*time.Second:
			return w.escalate(ctx, "the edge was proved good, but could not be read at the end of the hold")
		}
		if !pause(ctx, readEvery) {
			return ctx.Err()
		}
	}
}

// alertsWithin looks at alerts that came within the hold: they are a relapse where the evidence shows a fault that no standing
// change is meant for.
func (w *work) alertsWithin(ctx context.Context) (bool, error) {
	more, err := w.moreAlerts(ctx)
	if err != nil || !more {
		return false, err
	}
	seen := w.examine(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if cause := seen.Diagnosis.Cause; cause != incident.Inconclusive && (w.lasting() == nil || cause != w.in.Diagnosis.Cause) {
		return true, w.relapse(ctx, "%s", seen.Diagnosis.Summary)
	}
	w.note("note", "alerts came within the hold; the evidence shows no new fault: %s", seen.Diagnosis.Summary)
	return false, nil
}

// relapse opens the same incident again. Whether the next rung is due, the diagnosis will tell. A change that was taken back
// because its fault had passed was taken back too early.
func (w *work) relapse(ctx context.Context, format string, args ...any) error {
	w.progress.Looks = 0
	for _, a := range w.in.Actions {
		if a.Undo != nil && a.Undo.Passed {
			w.progress.Holds++
			break
		}
	}
	return w.verified(relapsed, w.move(ctx, incident.Received, "relapse within the hold: "+format, args...))
}

// endWell closes the incident. What was changed and is no matter of time is the cure, and stays.
func (w *work) endWell(ctx context.Context) error {
	done := w.acted()
	for i := range w.in.Actions {
		a := &w.in.Actions[i]
		if a.Changed() && !a.Undo.Lasting {
			now := w.cfg.Now()
			a.Undo.State, a.Undo.FinishedAt, a.Undo.Detail = incident.Kept, &now, "it is the cure: the edge stayed good with it"
			w.note("undo", "%s of %s is kept: %s", a.Remedy, a.Target, a.Undo.Detail)
		}
	}
	if done == 0 {
		return w.end(ctx, incident.Closed, incident.SelfRecovered, "the edge is good and stayed so; nothing was done")
	}
	return w.end(ctx, incident.Closed, incident.Recovered, "the edge is good and stayed so for %s after %d actions",
		w.cfg.Stabilise, done)
}

// acted counts the actions that changed something.
func (w *work) acted() int {
	done := 0
	for _, a := range w.in.Actions {
		if a.Result == incident.ResultDone && !w.harmless(a) {
			done++
		}
	}
	return done
}

func (w *work) harmless(a incident.Action) bool {
	r := w.remedies[a.Remedy]
	return r != nil && r.Traits().Harmless
}
