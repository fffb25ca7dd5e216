package report_test

import (
	"fmt"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/postmortems/report"
)

func approvedRelease() report.Input {
	in := story("inc-11", incident.BadRelease, "orders", "orders-1", "orders-2")
	because(&in, incident.Fact{Name: "release_lead", Source: "prometheus", Subject: "orders-1", Query: `up{job="orders"}`, Value: 8, Unit: "s", Threshold: 300},
		"bad-release on orders-1, orders-2: only v2 leaks, since 8 s", "7 leaked connections on replicas of v2, which is 8 s younger than v1")
	chose(&in, 0.5, 0, "roll-back", "asked", "roll-back is destructive, and autonomy is approve", "orders")
	in.Approval = &incident.Approval{
		Cause: incident.BadRelease, Remedy: "roll-back", Targets: []string{"orders"}, AskedAt: at(0.5), Expires: at(300.5),
		Answer: incident.Approved, By: "ada", Comment: "the release of this morning", At: ptr(at(4.7)),
	}
	chose(&in, 5, 0, "roll-back", "decided", "", "orders")
	in.Verdicts = []incident.Verdict{
		{Guard: "autonomy", Remedy: "roll-back", Target: "orders", Allowed: true, Reason: "ada has approved roll-back", At: at(5)},
		{
			Guard: "own-damage", Remedy: "roll-back", Target: "orders", Allowed: true, At: at(5),
			Reason: "the healer's own actions have cost 0.4 % of the error budget (from 10 % on it must ask)",
		},
	}
	a := did(&in, 5.1, 2.2, "roll-back", incident.WorkloadTarget, "orders", "v2 -> v1", "orders is at version v1 instead of v2, all replicas ready")
	u := changed(a, "v2", "v1", false)
	u.State, u.FinishedAt, u.Detail = incident.Kept, ptr(at(20)), "it is the cure: the edge stayed good with it"
	proved(&in, 10, "the edge is good and stayed so for 10s after 1 actions")
	return told(in, 7)
}

// hiddenRelease was rolled out too long ago to be in evidence, so it looks like a leak until the restart does not last.
func hiddenRelease() report.Input {
	in := story("inc-12", incident.ConnectionLeak, "orders", "orders-1", "orders-2")
	because(&in, incident.Fact{Name: "sessions_idle_long", Source: "postgres", Subject: "orders-1", Query: "SELECT ... FROM pg_stat_activity", Value: 4, Unit: "{session}", Threshold: 1},
		"connection-leak on orders-1, orders-2", "4 of 4 connections of orders-1 have been idle for 1.0 s or more")
	chose(&in, 0.5, 0, "restart-replicas", "decided", "", "orders-1", "orders-2")
	for i, name := range []string{"orders-1", "orders-2"} {
		a := did(&in, 0.6+0.4*float64(i), 0.3, "restart-replicas", incident.ReplicaTarget, name, "start_id=0f3c", "ready again")
		a.ReplacedBy = []string{name + "-next"}
	}
	chose(&in, 12, 1, "roll-back", "decided", "", "orders")
	u := changed(did(&in, 12.1, 2, "roll-back", incident.WorkloadTarget, "orders", "v2 -> v1", "orders is at version v1 instead of v2, all replicas ready"), "v2", "v1", false)
	u.State, u.FinishedAt, u.Detail = incident.Kept, ptr(at(27)), "it is the cure: the edge stayed good with it"
	proved(&in, 17, "the edge is good and stayed so for 10s after 3 actions")
	input := told(in, 2, incident.Entry{
		Seq: 1, At: at(11.8), IncidentID: in.ID, Kind: "state", Text: "stabilising -> received: relapse within the hold: the edge was bad 2 times",
	})
	for s := 10; s < 14; s++ {
		input.Telemetry.Edge.Good[s+11], input.Telemetry.Edge.Done[s+11] = 20, 20
	}
	return input
}

func lockContention() report.Input {
	in := story("inc-13", incident.LockContention, "inventory", "stock-count/1a2b3c4d")
	in.Workloads = []string{"inventory", "orders"}
	in.Diagnosis.Sessions = []incident.Session{session(4711, "stock-count/1a2b3c4d", "SELECT * FROM products WHERE sku = 'SKU-0001' FOR UPDATE")}
	because(&in, incident.Fact{Name: "lock_root_oldest", Source: "postgres", Subject: "server", Query: "SELECT ... pg_blocking_pids(pid)", Value: 6.7, Unit: "s", Threshold: 1},
		"lock-contention in inventory by stock-count/1a2b3c4d", "11 sessions wait for stock-count/1a2b3c4d, whose transaction is 6.7 s old")
	chose(&in, 0.5, 0, "end-session", "decided", "", "stock-count/1a2b3c4d")
	did(&in, 0.6, 0.05, "end-session", incident.SessionsTarget, "stock-count/1a2b3c4d", "1 sessions by pid and start", "1 session of stock-count/1a2b3c4d ended")
	proved(&in, 4, "the edge is good and stayed so for 10s after 1 actions")
	return told(in, 2)
}

func slowQuery() report.Input {
	in := story("inc-14", incident.SlowQuery, "orders", "orders/orders-1", "orders/orders-2")
	for i := range 16 {
		in.Diagnosis.Sessions = append(in.Diagnosis.Sessions, session(5000+i, fmt.Sprintf("orders/orders-%d", 1+i%2), "SELECT date_trunc('day', created_at) | count(*)"))
	}
	because(&in, incident.Fact{Name: "sessions_active_long", Source: "postgres", Subject: "orders-1", Query: "SELECT ... FROM pg_stat_activity", Value: 4, Unit: "{session}", Threshold: 1},
		"slow-query in orders", "statements that have been running for 1 s or more have most of the pool of orders-1 and orders-2")
	chose(&in, 0.5, 0, "cancel-query", "decided", "", "orders/orders-1", "orders/orders-2")
	for i, name := range in.Diagnosis.Subjects {
		did(&in, 0.6+0.1*float64(i), 0.06, "cancel-query", incident.SessionsTarget, name, "8 sessions by pid and start", "8 sessions of "+name+" cancelled")
	}
	proved(&in, 4, "the edge is good and stayed so for 10s after 2 actions")
	return told(in, 2)
}

func networkLatency() report.Input {
	in := story("inc-15", incident.NetworkLatency, "orders", "orders-1", "orders-2")
	because(&in, incident.Fact{Name: "round_trip_quick_share", Source: "prometheus", Subject: "orders-1", Query: "db_client_round_trip_duration_seconds_bucket", Value: 0, Unit: "1", Threshold: 0.25},
		"network-latency between orders and its database", "0 % of the round trips of orders-1 come back within 0.05 s")
	chose(&in, 0.5, 0, "accept", "decided", "", "storefront")
	u := changed(did(&in, 0.6, 0.1, "accept", incident.EdgeTarget, "storefront", "normal -> accept", "mode accept on 1 of 1 replicas"), "normal", "accept", true)
	u.Until = ptr(at(31))
	undone(u, incident.Undone, 20, 20.1, true, "mode normal on 1 of 1 replicas")
	proved(&in, 24, "the edge is good and stayed so for 10s after 1 actions")
	var held []incident.Reading
	for s := 2; s < 8; s++ {
		held = append(held, incident.Reading{At: at(float64(s)), Total: 40, Good: 1, Accepted: 39, OK: true, Status: incident.Known})
	}
	in.Verification.Readings = append(held, in.Verification.Readings...)
	input := told(in, 22)
	for s := 1; s < 22; s++ {
		input.Telemetry.Edge.Done[s+11], input.Telemetry.Edge.Good[s+11], input.Telemetry.Edge.Taken[s+11] = 40, 1, 39
	}
	return input
}

func serverCap() report.Input {
	in := story("inc-16", incident.ServerCap, "orders", "batch-export/9f8e7d6c")
	for i := range 21 {
		in.Diagnosis.Sessions = append(in.Diagnosis.Sessions, session(6000+i, "batch-export/9f8e7d6c", ""))
	}
	because(&in, incident.Fact{Name: "foreign_sessions", Source: "postgres", Subject: "server", Query: "SELECT ... FROM pg_stat_activity", Value: 21, Unit: "{session}", Threshold: 10},
		"server-cap: batch-export/9f8e7d6c holds 21 of 40 slots", "sessions of no workload hold 21 of 40 slots")
	chose(&in, 0.5, 0, "end-session", "asked", "end-session is destructive, and autonomy is approve", "batch-export/9f8e7d6c")
	in.Approval = &incident.Approval{
		Cause: incident.ServerCap, Remedy: "end-session", Targets: in.Diagnosis.Subjects, AskedAt: at(0.5), Expires: at(300.5),
		Answer: incident.Denied, By: "grace", Comment: "the export is the auditors'", At: ptr(at(9)),
	}
	in.Verdicts = []incident.Verdict{{
		Guard: "autonomy", Remedy: "end-session", Target: "batch-export/9f8e7d6c", Reason: "end-session is destructive, and autonomy is approve", At: at(0.5),
	}}
	ended(&in, 9.1, incident.Escalated, incident.HandedOver, "grace denied end-session: the export is the auditors'")
	return told(in, 99)
}

// slowDownstream lost its healer while payments were deferred: the change ended with its time to live.
func slowDownstream() report.Input {
	in := story("inc-17", incident.SlowDownstream, "payments", "payments")
	because(&in, incident.Fact{Name: "call_time_mean", Source: "prometheus", Subject: "payments", Query: `http_client_request_duration_seconds{job="orders"}`, Value: 0.38, Unit: "s", Threshold: 0.2},
		"slow-downstream: payments takes 0.38 s", "calls of orders to payments take 0.38 s; 0.20 s is the limit")
	chose(&in, 0.5, 0, "defer-payment", "decided", "", "storefront")
	u := changed(did(&in, 0.6, 0.1, "defer-payment", incident.EdgeTarget, "storefront", "normal -> defer-payment", "mode defer-payment on 1 of 1 replicas"), "normal", "defer-payment", true)
	u.Until, u.State, u.FinishedAt, u.Passed, u.Detail = ptr(at(15.7)), incident.Undone, ptr(at(19)), true, "it lapsed by itself"
	proved(&in, 24, "the edge is good and stayed so for 10s after 1 actions")
	return told(in, 3)
}

// trafficSurge took two rungs, and somebody else changed the second one's mode.
func trafficSurge() report.Input {
	in := story("inc-18", incident.TrafficSurge, "orders", "orders-1", "orders-2")
	because(&in, incident.Fact{Name: "edge_arrival_ratio", Source: "prometheus", Subject: "storefront", Query: "http_server_request_duration_seconds_count", Value: 2.5, Unit: "1", Threshold: 1.4},
		"traffic-surge: 100 checkouts a second come", "100.0 checkouts a second come, 2.50 times the usual 40.0")
	chose(&in, 0.5, 0, "scale-out", "decided", "", "orders")
	u := changed(did(&in, 0.6, 1, "scale-out", incident.WorkloadTarget, "orders", "2 -> 4", "orders has 4 replicas, all ready"), "2", "4", true)
	undone(u, incident.Undone, 9, 9.5, false, "orders has 2 replicas again")
	chose(&in, 10, 1, "shed", "decided", "", "storefront")
	u = changed(did(&in, 10.1, 0.1, "shed", incident.EdgeTarget, "storefront", "normal -> shed", "mode shed on 1 of 1 replicas"), "normal", "shed", true)
	u.State, u.FinishedAt, u.Detail = incident.Left, ptr(at(20)), "somebody else has changed it since"
	ended(&in, 20.1, incident.Escalated, incident.HandedOver, "shed of storefront was taken back by somebody else")
	return told(in, 99, incident.Entry{
		Seq: 1, At: at(8.9), IncidentID: in.ID, Kind: "state", Text: "verifying -> received: the edge was not good 3 times in a row within 8s",
	})
}

func harmlessBatch() report.Input {
	in := story("inc-19", incident.Inconclusive, "")
	because(&in, incident.Fact{Name: "edge_good_ratio", Source: "prometheus", Subject: "storefront", Query: "http_server_request_duration_seconds_bucket", Value: 1, Unit: "1", Threshold: 0.95},
		"callers give up waiting for a connection, and every customer is served", "")
	in.Diagnosis.Ranked = nil
	ended(&in, 6, incident.Closed, incident.Harmless, "no customer suffers, 5 looks in a row: nothing was done")
	return told(in, -3)
}
