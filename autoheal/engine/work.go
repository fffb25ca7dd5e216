package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// work is one incident in the hands of its worker: the record, what is to be written with it, and what the last look saw.
type work struct {
	*Engine
	in       incident.Incident
	progress incident.Progress
	since    time.Time // of the state, for the stage's duration

	// seen is the last look; nil after a restart, which makes the engine look again.
	seen *look

	entries []incident.Entry
	effects []incident.Effect
	notices []incident.Notice
}

// look is one gathering and what it says.
type look struct {
	evidence.Gathering
	diagnose.Result
}

func (w *work) note(kind, format string, args ...any) {
	w.entries = append(w.entries, incident.Entry{At: w.cfg.Now(), Kind: kind, Text: fmt.Sprintf(format, args...)})
}

// tell has people told, once what it tells of is on disk.
func (w *work) tell(kind incident.NoticeKind, page bool, format string, args ...any) {
	w.notices = append(w.notices, incident.Notice{
		At: w.cfg.Now(), IncidentID: w.in.ID, Kind: kind, Page: page, Text: fmt.Sprintf(format, args...), Workload: w.in.Workload,
		Cause: w.in.Diagnosis.Cause,
	})
}

// save writes the record and all that was noted since the last save, in one transaction.
func (w *work) save(ctx context.Context) error {
	err := w.cfg.Store.Save(ctx, store.Change{
		Incident: w.in, Progress: w.progress, Entries: w.entries, Effects: w.effects, Notices: w.notices,
	})
	if err != nil {
		return err
	}
	w.progress.Revision++
	w.entries, w.effects, w.notices = nil, nil, nil
	return nil
}

// move goes to a state and saves. The metrics count only what is on disk.
func (w *work) move(ctx context.Context, to incident.State, format string, args ...any) error {
	from, now := w.in.State, w.cfg.Now()
	reason := fmt.Sprintf(format, args...)
	if err := w.in.Move(to, reason, now); err != nil {
		return err
	}
	w.note("state", "%s -> %s: %s", from, to, reason)
	if err := w.save(ctx); err != nil {
		return err
	}
	w.metrics.left(ctx, from, now.Sub(w.since))
	w.since = now
	w.cfg.Logger.InfoContext(ctx, "incident moved", "incident", w.in.ID, "from", from, "to", to, "reason", reason)
	return nil
}

// end closes the incident or gives it to a person. Changes that stand are taken back first; one that is the cure stays.
func (w *work) end(ctx context.Context, to incident.State, outcome incident.Outcome, format string, args ...any) error {
	reason := fmt.Sprintf(format, args...)
	if w.standing() && w.in.State != incident.Reverting {
		return w.revert(ctx, incident.After{State: to, Outcome: outcome, Reason: reason})
	}
	w.in.Outcome = outcome
	switch {
	case to == incident.Escalated:
		w.tell(incident.NoticeHanded, true, "%s", reason)
	case outcome == incident.Recovered:
		w.tell(incident.NoticeRecovered, false, "%s", reason)
	}
	if err := w.move(ctx, to, "%s", reason); err != nil {
		return err
	}
	w.metrics.ended(w.in.Diagnosis.Cause, outcome)
	if to != incident.Escalated {
		return nil
	}
	w.cfg.Logger.ErrorContext(ctx, "incident handed over to a person", "incident", w.in.ID, "workload", w.in.Workload,
		"reason", w.in.Reason, "diagnosis", w.in.Diagnosis.Summary, "actions", len(w.in.Actions),
		"help", "autoheal show "+w.in.ID)
	return w.cfg.Store.Release(ctx, w.in.Workload, w.in.ID)
}

// escalate gives the incident to a person, with everything gathered so far in the record, alerts that have joined
// meanwhile included: they do not hold it up.
func (w *work) escalate(ctx context.Context, format string, args ...any) error {
	if _, err := w.moreAlerts(ctx); err != nil {
		return err
	}
	w.progress.Plan = nil
	return w.end(ctx, incident.Escalated, incident.HandedOver, format, args...)
}

// moreAlerts says whether alerts have joined since the engine last looked, and takes what they say into the record.
func (w *work) moreAlerts(ctx context.Context) (bool, error) {
	n, err := w.cfg.Store.CountJoined(ctx, w.in.ID)
	if err != nil || n <= w.progress.SeenAlerts {
		return false, err
	}
	alerted, seen := []string{}, 0
	truncated, err := w.cfg.Store.Joined(ctx, w.in.ID, func(a incident.Alert) {
		seen++
		alerted = withWorkload(alerted, a)
	})
	if err != nil {
		return false, err
	}
	slices.Sort(alerted)
	w.in.Workloads, w.in.Truncated, w.progress.SeenAlerts = alerted, truncated, seen
	return true, nil
}

// sight is the last look as the remedies see it.
func (l *look) sight() remedy.Sight {
	return remedy.Sight{Diagnosis: l.Diagnosis, Workloads: l.Workloads, Facts: l.Facts, Edge: l.Edge}
}

// examine gathers evidence of the whole group and diagnoses it.
func (w *work) examine(ctx context.Context) *look {
	ctx, span := w.cfg.Tracer.Start(ctx, "autoheal.gather")
	defer span.End()
	begun := w.cfg.Now()
	gathering := w.cfg.Senses.Gather(ctx, evidence.Scope{
		Workloads: w.cfg.Map.Group(w.in.Workload), Round: w.progress.Rounds,
	})
	w.metrics.gathered(ctx, gathering.Facts, w.cfg.Now().Sub(begun))
	w.asUsual(gathering.Facts)
	return &look{gathering, diagnose.Diagnose(gathering.Facts, w.progress.Rounds, w.cfg.ScrapeInterval)}
}

// asUsual holds what comes now against what was usual when the incident began: a fault that lasts becomes usual itself.
func (w *work) asUsual(facts evidence.Facts) {
	usual, known := evidence.Facts(w.in.Evidence).Get(evidence.EdgeArrivalBefore, w.edgeOf(facts))
	if !known || usual.Value <= 0 {
		return
	}
	rate, measured := facts.Get(evidence.EdgeArrivalRate, usual.Subject)
	for i := range facts {
		f := &facts[i]
		if f.Subject != usual.Subject || !measured {
			continue
		}
		switch f.Name {
		case evidence.EdgeArrivalBefore:
			f.Value, f.Status, f.Detail = usual.Value, usual.Status, fmt.Sprintf("as it was in round %d, when the incident began", usual.Round)
		case evidence.EdgeArrivalRatio:
			f.Value, f.Status, f.Detail = rate.Value/usual.Value, rate.Status, fmt.Sprintf("to what was usual in round %d", usual.Round)
		}
	}
}

// edgeOf names the edge that facts are about; empty where there are none.
func (*work) edgeOf(facts evidence.Facts) string {
	if edges := facts.Subjects(evidence.EdgeArrivalRate); len(edges) == 1 {
		return edges[0]
	}
	return ""
}

// pause says false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
