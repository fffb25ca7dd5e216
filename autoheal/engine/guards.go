package engine

import (
	"context"
	"slices"

	"github.com/faultline-lab/faultline/autoheal/decide"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
)

// ask puts one action before all guards. All verdicts go into the record and the audit, refusals included.
func (w *work) ask(ctx context.Context, choice decide.Choice, target incident.Target, seen *look) (guard.Decision, error) {
	request, err := w.request(ctx, choice, target, seen)
	if err != nil {
		return guard.Decision{}, err
	}
	decision := guard.Ask(request)
	for _, v := range decision.Verdicts {
		w.in.Verdicts = append(w.in.Verdicts, v)
		w.note("verdict", "%s on %s: %s says %s: %s", v.Remedy, v.Target, v.Guard, yesNo(v.Allowed), v.Reason)
		if !v.Allowed {
			w.metrics.refusals.WithLabelValues(v.Guard).Inc()
		}
	}
	return decision, nil
}

func (w *work) request(ctx context.Context, choice decide.Choice, target incident.Target, seen *look) (guard.Request, error) {
	now := w.cfg.Now()
	limits := choice.Step.Tighten(w.cfg.Limits)
	effects, err := w.cfg.Store.Effects(ctx, now.Add(-limits.LookBack()))
	if err != nil {
		return guard.Request{}, err
	}
	// An intent of this incident that is being resumed is not in its own way.
	effects = slices.DeleteFunc(effects, func(e incident.Effect) bool { return e.IncidentID == w.in.ID && e.FinishedAt == nil })
	leases, err := w.cfg.Store.Leases(ctx, now)
	if err != nil {
		return guard.Request{}, err
	}
	budget, damage := w.budget(ctx, effects)
	request := guard.Request{
		At: now, IncidentID: w.in.ID, Rung: choice.Rung, Cause: w.in.Diagnosis.Cause, Remedy: choice.Step.Remedy,
		Traits: choice.Remedy.Traits(), Target: target, Failing: seen.Diagnosis.Subjects, Effects: effects, Leases: leases,
		Switch: w.stopped(ctx), Limits: limits, OpenIncidents: w.others(ctx), Prior: w.in.Actions,
		Approved: w.approvedBy(choice.Step.Remedy, target), Budget: budget, Room: w.room(seen, target.Workload),
		Damage: damage,
	}
	if owner, there := seen.sight().Workload(target.Workload); there {
		request.Workload = &owner
	}
	return request, nil
}

// stopped reads the kill switch, and whether people have paused the healer. What cannot be read counts as unknown.
func (w *work) stopped(ctx context.Context) guard.Switch {
	state := w.cfg.Switch()
	if state == guard.SwitchOn {
		return state
	}
	paused, err := w.cfg.Store.Paused(ctx)
	switch {
	case err != nil:
		return guard.SwitchUnknown
	case paused != nil:
		return guard.SwitchOn
	}
	return state
}

func yesNo(allowed bool) string {
	if allowed {
		return "yes"
	}
	return "no"
}

// lease takes or renews the right to act on the workload, for as long as one target may take.
func (w *work) lease(ctx context.Context, rung playbook.Rung) (bool, error) {
	now := w.cfg.Now()
	return w.cfg.Store.Acquire(ctx, incident.Lease{
		Target: w.in.Workload, Holder: w.in.ID, ExpiresAt: now.Add(rung.Timeout + leaseMargin),
	}, now)
}
