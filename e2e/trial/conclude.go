package trial

import (
	"context"
	"time"

	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/slo/burnrate"
)

// The promise whose budget a trial spends: 99 % good checkouts over the usual 30 days. It is not the one of slo/specs, which may
// change: what records say must stay comparable.
const (
	objective = 0.99
	period    = 30 * 24 * time.Hour
)

// observe watches until the story is over: the client is well again, the healer has closed its books, the alert has
// ended; or until the window is.
func (t *trial) observe(ctx context.Context, injected time.Time, w *watched) error {
	window := t.cfg.Window
	if window == 0 {
		window = t.cfg.Experiment.Duration.Duration
	}
	over := injected.Add(window)
	var told record.Client
	for time.Now().Before(over) {
		client := t.seconds.judge(injected)
		if client.FirstBad != nil && told.FirstBad == nil {
			t.tell(ClientBad, *client.FirstBad, "first bad second: customers are turned away")
		}
		if client.Recovered != nil && told.Recovered == nil {
			t.tell(Recovered, *client.Recovered, "first of %d good seconds running: recovered", record.RecoveryRun)
		}
		told = client
		if t.settled(client, w) {
			return nil
		}
		if err := pause(ctx, lookInterval); err != nil {
			return err
		}
	}
	return nil
}

// settled says that nothing more is to come. A control, which has no cause to name, is watched for its whole window.
func (t *trial) settled(client record.Client, w *watched) bool {
	alerts, incidents := w.snapshot()
	if t.cfg.Experiment.Expect.Cause == "" || client.Recovered == nil || alerts.resolved == nil {
		return false
	}
	for _, in := range incidents {
		if in.State.Open() {
			return false
		}
	}
	return true
}

// conclude fills the record in from what was seen.
func (t *trial) conclude(ctx context.Context, r *record.Record, w *watched) {
	alerts, incidents := w.snapshot()
	r.Stages.AlertPending, r.Stages.AlertFiring, r.Stages.AlertResolved = alerts.pending, alerts.firing, alerts.resolved
	r.Alerts, r.Affected = alerts.fired, t.runner.Affected()
	takeOver(r, incidents, t.cfg.Experiment.Expect)
	client := t.seconds.judge(*r.Stages.Injected)
	r.Measure(client)
	r.BudgetSpent = budgetSpent(client)
	if t.cfg.Experiment.Expect.Cause != "" {
		r.Recovered = new(client.Recovered != nil)
		if client.FirstBad == nil {
			r.Notes = append(r.Notes, "the client never saw a bad second: the fault had no effect, so nothing was shown")
		}
	}
	presence, err := t.runner.StillPresent(ctx)
	if err != nil {
		r.Notes = append(r.Notes, "nobody could tell whether the fault was still present: "+err.Error())
		return
	}
	r.FaultStillPresent = &presence.Present
}

// budgetSpent is the part of the period's error budget that the trial's bad checkouts used up, if all of the period had the
// trial's traffic.
func budgetSpent(client record.Client) float64 {
	promise, err := burnrate.New(objective, period)
	if err != nil || client.Seconds == 0 {
		return 0
	}
	perSecond := float64(client.Requests) / float64(client.Seconds)
	return promise.SpentByEvents(float64(client.Failed), perSecond*period.Seconds())
}
