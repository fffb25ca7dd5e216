package trial

import (
	"context"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/experiment"
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

// settled says that nothing more is to come while the fault is there.
func (t *trial) settled(client record.Client, w *watched) bool {
	alerts, incidents := w.snapshot()
	return finished(t.cfg.Experiment.Expect, client, incidents, alerts.resolved != nil, t.answered(incidents))
}

// finished is settled without its sources. A control, which has no cause to name, is watched for its whole window, and so is a fault
// that nobody has answered yet: a roll-out may turn customers away for a moment before its leak has begun. An unknown fault is
// watched until a person has it; an incident that holds a change waits for the fault to pass, which it will only afterwards.
func finished(expect experiment.Expect, client record.Client, incidents []incident.Incident, resolved, answered bool) bool {
	if expect.Unknown {
		return len(incidents) > 0 && !slices.ContainsFunc(incidents, func(in incident.Incident) bool { return in.State.Open() })
	}
	prevented := client.FirstBad == nil && len(incidents) > 0 && resolved
	if expect.Cause == "" || !answered || client.Mitigated == nil && !prevented {
		return false
	}
	holding := false
	for _, in := range incidents {
		holding = holding || in.State == incident.Holding
		if in.State.Open() && in.State != incident.Holding {
			return false
		}
	}
	return holding || prevented || client.Recovered != nil && resolved
}

// answered says that the healer, or the arm's bot, has done something.
func (t *trial) answered(incidents []incident.Incident) bool {
	if t.bot != nil {
		done, _ := t.bot.Done()
		return len(done) > 0
	}
	return slices.ContainsFunc(incidents, func(in incident.Incident) bool { return len(in.Actions) > 0 })
}

// measure takes from the client what it saw while the fault was there, and asks the fault's driver whether it still is.
func (t *trial) measure(ctx context.Context, r *record.Record, w *watched) {
	takeAlerts(r, w)
	client := t.seconds.judge(*r.Stages.Injected)
	r.Measure(client)
	r.BudgetSpent = budgetSpent(client)
	if t.cfg.Experiment.Expect.Cause != "" {
		r.Recovered = new(client.Recovered != nil)
	}
	presence, err := t.runner.StillPresent(ctx)
	if err != nil {
		r.Notes = append(r.Notes, "nobody could tell whether the fault was still present: "+err.Error())
		return
	}
	r.FaultStillPresent = &presence.Present
}

func takeAlerts(r *record.Record, w *watched) {
	alerts, _ := w.snapshot()
	r.Stages.AlertPending, r.Stages.AlertFiring, r.Stages.AlertResolved = alerts.pending, alerts.firing, alerts.resolved
	r.Alerts = alerts.fired
}

// conclude fills in what the alerts were and what was done about them, to the end of the trial.
func (t *trial) conclude(r *record.Record, w *watched) {
	takeAlerts(r, w)
	_, incidents := w.snapshot()
	r.Affected = t.runner.Affected()
	takeOver(r, incidents)
	t.takeBot(r)
	t.condemn(r)
	prevent(r)
}

// prevent tells a fault that was healed before it hurt anybody from one that had no effect: something right was done, and the
// fault is gone.
func prevent(r *record.Record) {
	if r.CauseExpected == "" || r.Stages.FirstBad != nil {
		return
	}
	acted := slices.ContainsFunc(r.Actions, record.Action.Done)
	if !acted || r.WrongAction || r.FaultStillPresent == nil || *r.FaultStillPresent {
		r.Notes = append(r.Notes, "the client never saw a bad second: the fault had no effect, so nothing was shown")
		return
	}
	r.Prevented, r.Recovered, r.MTTR, r.Mitigated = true, new(true), new(0.0), new(0.0)
	r.Notes = append(r.Notes, "healed before the client saw a bad second")
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
