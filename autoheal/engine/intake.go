package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/autoheal/correlate"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// intake gives each waiting alert to the open incident of its group, or opens one, a page of them at a time.
func (e *Engine) intake(ctx context.Context) error {
	for range pages {
		taken, err := e.nextPage(ctx)
		if err != nil {
			return err
		}
		if err := e.share(ctx, taken); err != nil {
			return err
		}
		if len(taken) < page {
			e.metrics.setQueueAge(nil, e.cfg.Now())
			return nil
		}
	}
	e.Wake() // there may be more
	return nil
}

// nextPage reads the alerts that have waited longest. One that goes on firing after its incident was handed over counts as one
// that has just come.
func (e *Engine) nextPage(ctx context.Context) ([]incident.Alert, error) {
	now := e.cfg.Now()
	waiting, err := e.cfg.Store.Waiting(ctx, page)
	if err != nil {
		return nil, err
	}
	e.metrics.setQueueAge(waiting, now)
	if len(waiting) == page {
		return waiting, nil
	}
	still, err := e.cfg.Store.HandedOver(ctx, now.Add(-e.cfg.LookAgain), page-len(waiting))
	if err != nil {
		return nil, err
	}
	for i := range still {
		still[i].ReceivedAt = now
	}
	return append(waiting, still...), nil
}

// share gives each group its alerts.
func (e *Engine) share(ctx context.Context, waiting []incident.Alert) error {
	for len(waiting) > 0 {
		group := e.cfg.Map.Group(correlate.WorkloadOf(waiting[0]))
		var mine, others []incident.Alert
		for _, a := range waiting {
			if slices.Contains(group, correlate.WorkloadOf(a)) {
				mine = append(mine, a)
			} else {
				others = append(others, a)
			}
		}
		if err := e.give(ctx, group, mine); err != nil {
			return err
		}
		waiting = others
	}
	return nil
}

func (e *Engine) give(ctx context.Context, group []string, alerts []incident.Alert) error {
	open, err := e.cfg.Store.Open(ctx)
	if err != nil {
		return err
	}
	entry := incident.Entry{At: e.cfg.Now(), Kind: "alert", Text: fmt.Sprintf("%d alerts joined: %s", len(alerts), names(alerts))}
	for _, in := range open {
		if !slices.Contains(group, in.Workload) {
			continue
		}
		joined, err := e.cfg.Store.Join(ctx, in.ID, alerts, []incident.Entry{entry})
		if joined || err != nil {
			return err
		}
	}
	return e.open(ctx, alerts, entry)
}

// names lists the first few alerts: a payload may carry thousands.
func names(alerts []incident.Alert) string {
	const few = 5
	var texts []string
	for _, a := range alerts[:min(few, len(alerts))] {
		texts = append(texts, fmt.Sprintf("%s on %s (%s)", a.Name(), correlate.WorkloadOf(a), a.Status))
	}
	if len(alerts) > few {
		texts = append(texts, fmt.Sprintf("and %d more", len(alerts)-few))
	}
	return strings.Join(texts, ", ")
}

func (e *Engine) open(ctx context.Context, alerts []incident.Alert, entry incident.Entry) error {
	starts, received := alerts[0].StartsAt, alerts[0].ReceivedAt
	for _, a := range alerts {
		starts, received = earlier(starts, a.StartsAt), earlier(received, a.ReceivedAt)
	}
	in := incident.Incident{
		ID: newID(received), State: incident.Received, Reason: "alerts came in: " + names(alerts),
		Workloads: workloads(alerts),
		Stages:    incident.Stages{AlertStartsAt: &starts, WebhookReceived: &received},
		Evidence:  []incident.Fact{}, Verdicts: []incident.Verdict{}, Actions: []incident.Action{},
		Diagnosis:    incident.Diagnosis{Subjects: []string{}, Ranked: []incident.Candidate{}},
		Verification: incident.Verification{Readings: []incident.Reading{}},
	}
	in.Workload = e.cfg.Map.Deepest(in.Workloads)
	ctx, root := e.cfg.Tracer.Start(ctx, "autoheal.incident", trace.WithNewRoot(), trace.WithTimestamp(received),
		trace.WithAttributes(attribute.String("incident.id", in.ID), attribute.String("incident.workload", in.Workload)))
	defer root.End()
	progress := incident.Progress{}
	if sc := root.SpanContext(); sc.IsValid() {
		in.TraceID, progress.RootSpan, progress.Unsampled = sc.TraceID().String(), sc.SpanID().String(), !sc.IsSampled()
	}
	e.cfg.Logger.InfoContext(ctx, "incident opened", "incident", in.ID, "workloads", in.Workloads, "alerts", len(alerts))
	return e.cfg.Store.Save(ctx, store.Change{
		Incident: in, Progress: progress, Joined: alerts, Entries: []incident.Entry{entry}, Notices: []incident.Notice{{
			At: e.cfg.Now(), IncidentID: in.ID, Kind: incident.NoticeOpened, Text: in.Reason, Workload: in.Workload,
		}},
	})
}

// newID sorts by time and can be typed; the random half keeps two of the same second apart.
func newID(at time.Time) string {
	return at.UTC().Format("20060102-150405-") + strings.ReplaceAll(uuid.NewString(), "-", "")[:6]
}

func workloads(alerts []incident.Alert) []string {
	found := []string{}
	for _, a := range alerts {
		found = withWorkload(found, a)
	}
	slices.Sort(found)
	return found
}

func withWorkload(found []string, a incident.Alert) []string {
	if w := correlate.WorkloadOf(a); !slices.Contains(found, w) {
		return append(found, w)
	}
	return found
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
