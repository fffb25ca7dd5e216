package report_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/postmortems/report"
)

// stories are one incident of each cause, and between them every kind of remedy, of change and of answer.
func stories() map[string]report.Input {
	return map[string]report.Input{
		"bad release, approved and kept":         approvedRelease(),
		"hidden release, restart then roll-back": hiddenRelease(),
		"lock contention":                        lockContention(),
		"slow query":                             slowQuery(),
		"network latency, accepted and undone":   networkLatency(),
		"server cap, denied":                     serverCap(),
		"slow downstream, lapsed":                slowDownstream(),
		"traffic surge, scaled and left":         trafficSurge(),
		"harmless":                               harmlessBatch(),
	}
}

// story begins one: an alert, a diagnosis with what speaks for it, and nothing done yet.
func story(id string, cause incident.Cause, workload string, subjects ...string) incident.Incident {
	return incident.Incident{
		ID: id, Workload: "orders", Workloads: []string{"orders"}, State: incident.Received,
		Stages: incident.Stages{AlertStartsAt: ptr(at(0)), WebhookReceived: ptr(at(0.1)), Diagnosed: ptr(at(0.4))},
		Alerts: []incident.Alert{{
			Fingerprint: "f1", StartsAt: at(0), Status: "firing", ReceivedAt: at(0.1),
			Labels:      map[string]string{"alertname": "ConnectionPoolExhausted", "job": "orders", "severity": "page"},
			Annotations: map[string]string{"summary": "Pool orders of orders-1 cannot serve its callers, 4 of 4 connections in use."},
		}},
		Diagnosis: incident.Diagnosis{Cause: cause, Workload: workload, Subjects: subjects, Round: 1},
	}
}

// because adds the decisive fact, and the candidate that it speaks for.
func because(in *incident.Incident, fact incident.Fact, summary, sign string) {
	fact.Status, fact.At, fact.Round = incident.Known, at(0.3), 1
	in.Evidence = append(in.Evidence, fact)
	in.Diagnosis.Summary = summary
	in.Diagnosis.Ranked = []incident.Candidate{{Cause: in.Diagnosis.Cause, Score: 1, For: []string{sign}}}
}

// chose adds a choice on the ladder.
func chose(in *incident.Incident, second float64, rung int, remedy, result, reason string, targets ...string) {
	in.Decisions = append(in.Decisions, incident.Decision{
		At: at(second), Round: 1, From: in.Rung, Rung: rung, Remedy: remedy, Targets: targets, Result: result, Reason: reason,
		Actions: len(in.Actions), Seen: json.RawMessage(`{}`),
	})
	in.Rung = rung
	if result == "decided" && in.Stages.Decided == nil {
		in.Stages.Decided = ptr(at(second))
	}
}

// did adds an action that took some seconds.
func did(in *incident.Incident, second, lasted float64, remedy string, kind incident.TargetKind, target, precondition, detail string) *incident.Action {
	in.Actions = append(in.Actions, incident.Action{
		Key: fmt.Sprintf("%s/%d/%d/%s", in.ID, len(in.Actions)+1, in.Rung, target), Rung: in.Rung, Remedy: remedy, Kind: kind, Target: target,
		Precondition: precondition, StartedAt: at(second), FinishedAt: ptr(at(second + lasted)), Result: incident.ResultDone, Detail: detail,
	})
	if in.Stages.ActionStarted == nil {
		in.Stages.ActionStarted = ptr(at(second))
	}
	in.Stages.ActionFinished = ptr(at(second + lasted))
	return &in.Actions[len(in.Actions)-1]
}

// changed makes an action one that can be taken back.
func changed(a *incident.Action, was, is string, lasting bool) *incident.Undo {
	a.Undo = &incident.Undo{
		Target: incident.Target{Kind: a.Kind, Workload: a.Target, Name: a.Target, Is: was, To: is}, Lasting: lasting, State: incident.Standing,
	}
	return a.Undo
}

func undone(u *incident.Undo, state incident.ChangeState, from, to float64, passed bool, detail string) {
	u.State, u.StartedAt, u.FinishedAt, u.Passed, u.Detail = state, ptr(at(from)), ptr(at(to)), passed, detail
}

// proved ends it well, with three good readings.
func proved(in *incident.Incident, second float64, reason string) {
	in.Verification = incident.Verification{Source: "storefront/metrics: http_server_request_duration_seconds", Required: 3}
	for i := range 3 {
		in.Verification.Readings = append(in.Verification.Readings,
			incident.Reading{At: at(second + float64(i) - 2), Total: 40, Good: 40, OK: true, Status: incident.Known})
	}
	in.Stages.Verified = ptr(at(second))
	ended(in, second+10, incident.Closed, incident.Recovered, reason)
}

func ended(in *incident.Incident, second float64, state incident.State, outcome incident.Outcome, reason string) {
	in.State, in.Outcome, in.Reason, in.Stages.Ended = state, outcome, reason, ptr(at(second))
}

// told is the report's input: the record as it comes out of the API, and an edge that was bad from -2 s on until it was well.
func told(in incident.Incident, well float64, states ...incident.Entry) report.Input {
	raw, err := json.Marshal(in)
	if err != nil {
		panic(err) // a record of ours always can be written
	}
	var read incident.Incident
	if err := json.Unmarshal(raw, &read); err != nil {
		panic(err)
	}
	g := report.Grid{Start: at(-10), Step: time.Second, Len: 61}
	tel := report.Telemetry{Grid: g, Edge: report.Edge{
		All:   ranged("prometheus", `http_server_request_duration_seconds_count{job="storefront"}`),
		Fast:  ranged("prometheus", `http_server_request_duration_seconds_bucket{job="storefront",le="0.5"}`),
		Total: report.NewLine(g.Len), Done: report.NewLine(g.Len), Good: report.NewLine(g.Len), Taken: report.NewLine(g.Len),
	}}
	for i := range g.Len {
		tel.Edge.Total[i], tel.Edge.Done[i], tel.Edge.Good[i], tel.Edge.Taken[i] = 40, 40, 40, 0
		if s := float64(i - 11); s >= -2 && s < well {
			tel.Edge.Done[i], tel.Edge.Good[i] = 12, 10
		}
	}
	gone := func(source string) report.Provenance {
		return report.Provenance{Source: source, Unknown: "this story has no " + source}
	}
	tel.Pools = report.Pools{
		Used: gone("prometheus"), Idle: gone("prometheus"), Pending: gone("prometheus"), Max: gone("prometheus"), Timeouts: gone("prometheus"),
	}
	tel.Trace, tel.Logs = report.Trace{From: gone("jaeger")}, report.Logs{From: gone("loki")}
	return report.Input{
		Incident: read, Record: report.Provenance{Source: "autoheal", Query: "GET /api/v1/incidents/" + in.ID}, Audit: states,
		AuditFrom: report.Provenance{Source: "autoheal", Query: "GET /api/v1/incidents/" + in.ID + "/audit"}, Telemetry: tel,
		Objective: report.Objective{Target: 0.99, Window: 30 * 24 * time.Hour}, WrittenAt: at(90),
	}
}

func session(pid int, application, statement string) incident.Session {
	return incident.Session{PID: pid, BackendStart: at(-20), QueryStart: at(-5), Application: application, Statement: statement}
}

func TestEveryCauseHasATextOfItsOwn(t *testing.T) {
	written := map[string]incident.Cause{}
	for _, cause := range append(incident.Causes(), incident.Inconclusive) {
		got := render(t, told(story("inc-1", cause, "orders"), 3))
		_, items := cutAt(t, got, "## Action items")
		items, _ = cutAt(t, items, "## Appendix")
		if other, twice := written[items]; twice {
			t.Errorf("%s and %s have the same action items", cause, other)
		}
		written[items] = cause
		cutAt(t, got, "### Contributing factors")
	}
}
