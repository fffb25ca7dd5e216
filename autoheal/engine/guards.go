package engine

import (
	"context"
	"slices"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
)

// ask puts one action before all guards. All verdicts go into the record and the audit, refusals included.
func (w *work) ask(ctx context.Context, rung playbook.Rung, target incident.Target, seen *look) (guard.Decision, error) {
	now := w.cfg.Now()
	effects, err := w.cfg.Store.Effects(ctx, now.Add(-w.cfg.Limits.LookBack()))
	if err != nil {
		return guard.Decision{}, err
	}
	// An intent of this incident that is being resumed is not in its own way.
	effects = slices.DeleteFunc(effects, func(e incident.Effect) bool { return e.IncidentID == w.in.ID && e.FinishedAt == nil })
	leases, err := w.cfg.Store.Leases(ctx, now)
	if err != nil {
		return guard.Decision{}, err
	}
	request := guard.Request{
		At: now, IncidentID: w.in.ID, Rung: w.in.Rung, Cause: w.in.Diagnosis.Cause, Remedy: rung.Remedy, Target: target,
		Failing: seen.Diagnosis.Subjects, Effects: effects, Leases: leases, Switch: w.cfg.Switch(), Limits: w.cfg.Limits,
	}
	for _, known := range w.cfg.Remedies {
		if known.Name() == rung.Remedy {
			request.Traits = known.Traits()
		}
	}
	if owner, _, ok := seen.Replica(target.Name); ok {
		request.Workload = &owner
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
