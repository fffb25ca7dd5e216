package report_test

import (
	"fmt"
	"math"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/postmortems/report"
)

var t0 = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }

func anchor(n int) string { return fmt.Sprintf(`<a id="q%d">`, n) }

func itoa(n int) string { return fmt.Sprint(n) }

func ranged(source, query string) report.Provenance {
	return report.Provenance{Source: source, Query: query, Start: at(-30), End: at(29), Step: time.Second}
}

// healedLeak is the story of the sheet: two replicas leak at -2 s, are restarted one after the other, and all is well
// at +4 s.
func healedLeak() report.Input {
	in := incident.Incident{
		ID: "inc-7", Workload: "orders", Workloads: []string{"orders"},
		State: incident.Closed, Outcome: incident.Recovered, Reason: "the edge stayed good for 10 s after the proof",
		Stages: incident.Stages{
			AlertStartsAt: ptr(at(0)), WebhookReceived: ptr(at(0.31)), Diagnosed: ptr(at(0.52)), Decided: ptr(at(0.53)),
			ActionStarted: ptr(at(0.54)), ActionFinished: ptr(at(3.1)), Verified: ptr(at(8.2)), Ended: ptr(at(18.2)),
		},
		Alerts: []incident.Alert{{
			Fingerprint: "f1", StartsAt: at(0), EndsAt: ptr(at(12)), Status: "resolved", ReceivedAt: at(0.31),
			Labels:      map[string]string{"alertname": "PoolExhausted", "job": "orders", "severity": "page"},
			Annotations: map[string]string{"summary": "orders has no idle connection and acquires time out"},
		}},
		Diagnosis: incident.Diagnosis{
			Cause: incident.ConnectionLeak, Subjects: []string{"orders-1", "orders-2"}, Round: 1,
			Summary: "both replicas hold connections that do nothing",
			Ranked: []incident.Candidate{{
				Cause: incident.ConnectionLeak, Score: 0.9,
				For:     []string{"4 of 4 connections of orders-1 idle for 3.1 s (any hold: 0.1 s)"},
				Against: []string{"round trip not measured"},
			}},
		},
		Verdicts: []incident.Verdict{
			{Guard: "healthy-floor", Remedy: "restart", Target: "orders-1", Allowed: true, Reason: "it fails its users already", At: at(0.53)},
			{Guard: "one-at-a-time", Remedy: "restart", Target: "orders-2", Allowed: false, Reason: "orders-1 is being restarted", At: at(0.54)},
		},
		Verification: incident.Verification{
			Source: "storefront/metrics: http_server_request_duration_seconds", Required: 3,
			Readings: []incident.Reading{
				{At: at(4), Total: 40, Good: 20, Status: incident.Known},
				{At: at(5), Status: incident.Unknown},
				{At: at(6), Total: 41, Good: 41, OK: true, Status: incident.Known},
				{At: at(7), Total: 40, Good: 40, OK: true, Status: incident.Known},
				{At: at(8), Total: 39, Good: 39, OK: true, Status: incident.Known},
			},
		},
		TraceID: "0af7651916cd43dd8448eb211c80319c",
	}
	for i, name := range []string{"orders-1", "orders-2"} {
		in.Evidence = append(in.Evidence, facts(name)...)
		in.Actions = append(in.Actions, incident.Action{
			Key: "inc-7/0/" + name, Remedy: "restart-replica", Target: name, Precondition: "start-" + name, PreState: "ready, v1",
			StartedAt: at(0.54 + 1.3*float64(i)), FinishedAt: ptr(at(1.8 + 1.3*float64(i))), Result: incident.ResultDone, Detail: "ready again",
		})
	}
	return report.Input{
		Incident: in, Record: report.Provenance{Source: "autoheal", Query: "GET /api/v1/incidents/inc-7"},
		Audit: []incident.Entry{
			{Seq: 1, At: at(0.31), IncidentID: "inc-7", Kind: "alert", Text: "PoolExhausted firing"},
			{Seq: 2, At: at(0.54), IncidentID: "inc-7", Kind: "intent", Text: "restart-replica orders-1"},
		},
		AuditFrom: report.Provenance{Source: "autoheal", Query: "GET /api/v1/incidents/inc-7/audit"},
		Telemetry: healedTelemetry(), Objective: report.Objective{Target: 0.99, Window: 30 * 24 * time.Hour},
		WrittenAt: at(60),
	}
}

func facts(replica string) []incident.Fact {
	return []incident.Fact{
		{
			Name: "pool_idle_connections", Source: "prometheus", Subject: replica, Status: incident.Known, Value: 0, Unit: "{connection}", Threshold: 1,
			Query: `db_client_connection_count{job="orders",db_client_connection_state="idle"}`, At: at(0.4), Round: 1,
		},
		{
			Name: "pool_acquire_timeouts", Source: "prometheus", Subject: replica, Status: incident.Known, Value: 17.25, Unit: "1", Threshold: 0,
			Query: `increase(db_client_connection_timeouts_total{job="orders"}[5s])`, At: at(0.4), Round: 1,
		},
		{
			Name: "backend_idle_seconds", Source: "postgres", Subject: replica, Status: incident.Known, Value: 3.1, Unit: "s", Threshold: 0.8,
			Query: "SELECT max(now() - state_change) FROM pg_stat_activity WHERE a || b <> ''", At: at(0.45), Round: 1, Detail: "4 backends idle",
		},
		{
			Name: "round_trip", Source: "prometheus", Subject: replica, Status: incident.Unknown, Unit: "s", Threshold: 0.05,
			Query: "rtt_seconds", At: at(0.5), Round: 1, Detail: "no such series",
		},
	}
}

func healedTelemetry() report.Telemetry {
	g := report.Grid{Start: at(-30), Step: time.Second, Len: 60}
	tel := report.Telemetry{
		Grid: g,
		Edge: report.Edge{
			All:   ranged("prometheus", `http_server_request_duration_seconds_count{job="storefront"}`),
			Fast:  ranged("prometheus", `http_server_request_duration_seconds_bucket{job="storefront",le="0.5"}`),
			Total: report.NewLine(g.Len), Done: report.NewLine(g.Len), Good: report.NewLine(g.Len),
		},
		Pools: report.Pools{
			Used: ranged("prometheus", "used"), Idle: ranged("prometheus", "idle"), Pending: ranged("prometheus", "pending"),
			Max: ranged("prometheus", "max"), Timeouts: ranged("prometheus", "timeouts"),
		},
		Trace: report.Trace{From: ranged("jaeger", "service=storefront operation=POST /checkout error=true"), ID: "4bf92f3577b34da6a3ce929d0e0e4736", Spans: spans()},
		Logs: report.Logs{
			From:  ranged("loki", `{service_name=~".+"} | trace_id="4bf92f3577b34da6a3ce929d0e0e4736"`),
			Lines: []report.LogLine{{At: at(1), Service: "orders", Level: "ERROR", Text: "no connection within 400ms"}}, More: 2,
		},
	}
	used := func(i int) float64 {
		switch s := i - 30; {
		case s >= -2 && s < 3:
			return 4
		default:
			return 2
		}
	}
	for n := range 2 {
		p := report.Pool{
			Replica: fmt.Sprintf("orders-%d", n+1), Name: "orders", Used: report.NewLine(g.Len), Idle: report.NewLine(g.Len),
			Pending: report.NewLine(g.Len), Timeouts: report.NewLine(g.Len), Max: report.NewLine(g.Len),
		}
		for i := range g.Len {
			p.Used[i], p.Idle[i], p.Max[i] = used(i), 4-used(i), 4
			p.Pending[i], p.Timeouts[i] = 6*math.Max(0, used(i)-2), 10*math.Max(0, used(i)-3)
		}
		p.Used[33], p.Idle[33], p.Pending[33], p.Timeouts[33], p.Max[33] = math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()
		tel.Pools.Pools = append(tel.Pools.Pools, p)
	}
	for i := range g.Len {
		tel.Edge.Total[i], tel.Edge.Done[i], tel.Edge.Good[i] = 40, 40, 40
		if s := i - 30; s >= -2 && s < 4 {
			tel.Edge.Done[i], tel.Edge.Good[i] = 12, 10
		}
	}
	return tel
}

func spans() []report.Span {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	start := at(1)
	return []report.Span{
		{ID: "c", Parent: "b", Service: "orders", Name: "pool.acquire", Start: start.Add(ms(2)), Duration: ms(400), Failed: true, Note: "context deadline exceeded"},
		{ID: "a", Service: "storefront", Name: "POST /checkout", Start: start, Duration: ms(405), Failed: true},
		{ID: "b", Parent: "a", Service: "orders", Name: "POST /orders", Start: start.Add(ms(1)), Duration: ms(403), Failed: true, Note: "503"},
	}
}

// escalatedInconclusive was looked at twice, named no cause, and touched nothing.
func escalatedInconclusive() report.Input {
	in := healedLeak()
	i := &in.Incident
	i.ID, i.State, i.Outcome, i.Reason = "inc-8", incident.Escalated, incident.HandedOver, "inconclusive twice: connection-leak at 0.40, nothing else known"
	i.Stages.Decided, i.Stages.ActionStarted, i.Stages.ActionFinished, i.Stages.Verified = nil, nil, nil, nil
	i.Stages.Ended = ptr(at(2))
	i.Diagnosis = incident.Diagnosis{
		Cause: incident.Inconclusive, Round: 2, Summary: "one sign of a leak, and too little else is known",
		Ranked: []incident.Candidate{{Cause: incident.ConnectionLeak, Score: 0.4, For: []string{"no idle connection"}, Against: []string{"backends not seen"}}},
	}
	for _, f := range facts("orders-1") {
		f.Round, f.At = 2, at(1.4)
		i.Evidence = append(i.Evidence, f)
	}
	i.Actions, i.Verdicts, i.Verification = nil, nil, incident.Verification{}
	for s := 34; s < in.Telemetry.Grid.Len; s++ {
		in.Telemetry.Edge.Done[s], in.Telemetry.Edge.Good[s] = 12, 10
	}
	return in
}

// missingTelemetry is the healed leak with every source gone.
func missingTelemetry() report.Input {
	in := healedLeak()
	gone := func(p report.Provenance) report.Provenance {
		p.Unknown = p.Source + " does not answer: connection refused"
		return p
	}
	tel := &in.Telemetry
	tel.Edge = report.Edge{All: gone(tel.Edge.All), Fast: gone(tel.Edge.Fast)}
	tel.Pools = report.Pools{
		Used: gone(tel.Pools.Used), Idle: gone(tel.Pools.Idle), Pending: gone(tel.Pools.Pending),
		Max: gone(tel.Pools.Max), Timeouts: gone(tel.Pools.Timeouts),
	}
	tel.Trace = report.Trace{From: gone(tel.Trace.From)}
	tel.Logs = report.Logs{From: gone(tel.Logs.From)}
	in.Audit, in.AuditFrom = nil, report.Provenance{Source: "autoheal", Query: "GET /api/v1/incidents/inc-7/audit", Unknown: "the incident was read from a file"}
	return in
}
