package definition

import (
	"github.com/faultline-lab/faultline/observability/grafana/internal/board"
	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

// Healer answers: what did the healer see, do and refuse, and how long did each step take?
func Healer() model.Dashboard {
	return board.New("faultline-healer", "Faultline: healer",
		"What did the healer see, do and refuse, and how long did each step take? Incidents are rare, so counts and durations are "+
			"over the time shown. The whole record of one incident: autoheal show ID.").
		Row("Now", 4, healerStats()...).
		Row("Incidents, actions and refusals in the time shown", 8, tallies()...).
		Row("What is open, and what stands", 8, standing()...).
		Row("How long it takes", 8, stages()...).
		Row("What it goes by", 7, knowing()...).
		Row("Did it help?", 8, helped()...).
		Row("Replicas and their supervisor", 7, replicas()...).
		Row("Who was told", 7, told()...).
		Row("What was said", 10,
			board.Logs("Healer and chaos", "Lines of the healer, and of the chaos experiments that it knows nothing of. A line's trace_id leads to the "+
				"incident's trace, with a span for each stage.", `{service_name=~"autoheal|chaos"}`)).
		Dashboard()
}

// happened counts events in the time shown; events are whole, so what is extrapolated is rounded.
func happened(by, counter string) string {
	return "round(sum by (" + by + ") (increase(" + counter + "[$__range])))"
}

func healerStats() []*board.Panel {
	total := func(counter string) string { return "round(sum(increase(" + counter + "[$__range])))" }
	return []*board.Panel{
		board.Stat("Open incidents", "Incidents that still need the healer.", board.Count,
			board.Ask("sum(autoheal_open_incidents)", "incidents")).Bad(1),
		board.Stat("Ended incidents", "Incidents that ended in the time shown, whoever ended them.", board.Count,
			board.Ask(total("autoheal_incidents_total"), "incidents")),
		board.Stat("Actions done", "Actions that were done in the time shown.", board.Count,
			board.Ask(total(`autoheal_actions_total{result="done"}`), "actions")),
		board.Stat("Handed over", "Incidents in the time shown that the healer gave to a person.", board.Count,
			board.Ask(total(`autoheal_incidents_total{outcome="handed-over"}`), "incidents")).Bad(1),
		board.Stat("Changes that stand", "Changes that somebody still has to take back.", board.Count,
			board.Ask("sum(autoheal_standing_changes)", "changes")),
		board.Stat("Waiting for a person", "Incidents in which a person was asked and has not answered.", board.Count,
			board.Ask(`sum(autoheal_open_incidents{state="awaiting"})`, "incidents")).Bad(1),
		board.Stat("Refused webhooks", "Webhooks of Alertmanager that were not taken, in the time shown.", board.Count,
			board.Ask(total(`autoheal_webhooks_total{answer!="accepted"}`), "webhooks")).Bad(1),
	}
}

func tallies() []*board.Panel {
	return []*board.Panel{
		board.Table("Incidents by cause and outcome", "What the healer found to be the cause, and how the incident ended, in the time shown. Harmless "+
			"ones and those that had passed by themselves were let alone.", []board.Column{{Title: "Cause", Expr: "cause"}, {Title: "Outcome", Expr: "outcome"}},
			board.Column{Title: "Incidents", Unit: board.Count, Expr: happened("cause, outcome", "autoheal_incidents_total")}),
		board.Table("Actions", "What it did, in the time shown.", []board.Column{{Title: "Remedy", Expr: "remedy"}, {Title: "Result", Expr: "result"}},
			board.Column{Title: "Actions", Unit: board.Count, Expr: happened("remedy, result", "autoheal_actions_total")}),
		board.Table("Refusals by guard", "What its guards kept it from doing, in the time shown.", []board.Column{{Title: "Guard", Expr: "guard"}},
			board.Column{Title: "Refusals", Unit: board.Count, Expr: happened("guard", "autoheal_guard_refusals_total")}),
	}
}

// standing is what has not ended: incidents on their way, and changes that somebody has to take back.
func standing() []*board.Panel {
	return []*board.Panel{
		board.Graph("Open incidents by state", "Incidents that still need the healer. Awaiting: a person was asked. Holding: well as long as a change stands, "+
			"while the fault lasts. Reverting: changes are being taken back.", board.Count,
			board.Ask("sum by (state) (autoheal_open_incidents)", "{{state}}")).Stacked().FromZero(),
		board.Graph("Changes that stand", "Modes, weights, sizes and versions that the healer has set and has not taken back, by remedy. With nobody to renew "+
			"them, those of the edge lapse by themselves.", board.Count,
			board.Ask("sum by (remedy) (autoheal_standing_changes)", "{{remedy}}")).Stacked().FromZero(),
		board.Table("Changes that ended", "What became of them, in the time shown: undone, or left to a person. A version that is the cure is kept, and is not "+
			"here.", []board.Column{{Title: "Remedy", Expr: "remedy"}, {Title: "Became", Expr: "state"}},
			board.Column{Title: "Changes", Unit: board.Count, Expr: happened("remedy, state", "autoheal_changes_total")}),
		board.Graph("Age of the oldest unread alert", "How long alerts that are on disk wait until they belong to an incident. It should stay near zero.",
			board.Seconds, board.Ask("max(autoheal_queue_age_seconds)", "age")).FromZero().Bad(5),
	}
}

// lasted is how long something took in the time shown: it is rare, so there is no rate of it. Only a histogram's buckets have
// exemplars, hence the quantile beside the mean.
func lasted(by, histogram, selector, name string) []board.Query {
	return []board.Query{
		board.Traced("histogram_quantile(0.9, sum by ("+join(by, "le")+") (rate("+histogram+"_bucket{"+selector+"}[$__range])))", name+" p90"),
		board.Ask(mean(by, histogram, selector, "$__range"), name+" mean"),
	}
}

func stages() []*board.Panel {
	return []*board.Panel{
		board.Graph("Time in each stage", "How long incidents spent in each stage, over the time shown. Points lead to incidents' traces.", board.Seconds,
			lasted("stage", "autoheal_stage_duration_seconds", "", "{{stage}}")...).FromZero(),
		board.Graph("Webhook to action", "From the first webhook to the first action, over the time shown. Points lead to incidents' traces.", board.Seconds,
			lasted("", "autoheal_webhook_to_action_seconds", "", "webhook to action")...).FromZero(),
		board.Graph("Time of an action", "From the intent of an action to its result, over the time shown. Points lead to incidents' traces.", board.Seconds,
			lasted("remedy", "autoheal_action_duration_seconds", "", "{{remedy}}")...).FromZero(),
		board.Graph("Its questions to others", "How long Prometheus, Jaeger, Loki and the supervisor (or Kubernetes) take to answer the healer, over the "+
			"time shown.", board.Seconds, lasted("server_address, server_port", called, `job="autoheal"`, "{{server_address}}:{{server_port}}")...).FromZero(),
	}
}

func knowing() []*board.Panel {
	return []*board.Panel{
		board.Graph("Webhooks and alerts", "Webhooks by answer, and the alerts in them by what they were to the store.", board.PerSecond,
			board.Ask(rate("answer", "autoheal_webhooks_total"), "webhook {{answer}}"),
			board.Ask(rate("result", "autoheal_alerts_received_total"), "alert {{result}}")).FromZero(),
		board.Graph("Facts", "Facts gathered, by source, and whether they could be had. An unknown fact speaks for nothing.", board.PerSecond,
			board.Ask(rate("source, status", "autoheal_facts_total"), "{{source}} {{status}}")).FromZero(),
		board.Graph("Time to gather", "How long one gathering of evidence takes from all sources at once, over the time shown.", board.Seconds,
			lasted("", "autoheal_gathering_duration_seconds", "", "gathering")...).FromZero(),
		board.Graph("Readings of the edge", "How good the edge was each time that the healer looked.", board.PerSecond,
			board.Ask(rate("result", "autoheal_edge_readings_total"), "{{result}}")).Stacked().FromZero(),
		board.Table("Proofs and holds", "What came of them, in the time shown: proved and held, or still sick, not proved, relapsed.",
			[]board.Column{{Title: "Result", Expr: "result"}},
			board.Column{Title: "Times", Unit: board.Count, Expr: happened("result", "autoheal_verifications_total")}),
	}
}

func helped() []*board.Panel {
	return []*board.Panel{
		board.Graph("Good checkouts", "What the healer proves its work by: the edge's own ratio, over the fastest page's short window.", board.Share,
			board.Ask(either(func(p profile) string { return "1 - " + errorRatio(p.short) }), "good")).Range(0, 1).BadBelow(0.95),
		board.State("Alerts", "Which alerts fire. Their end is not the proof.", "quiet", "firing", board.Ask(firing(""), "{{alertname}} {{instance}}")),
		board.Graph("Connections in use", "Used connections of each pool, as a share of its maximum.", board.Share,
			board.Ask(`sum by (`+eachOne+`) (db_client_connection_count{db_client_connection_state="used"}) / sum by (`+eachOne+`) (db_client_connection_max)`,
				oneName)).Range(0, 1).LogsOf("job").PoolOf(),
	}
}

// told is empty of series where nobody is to be told (--notify), so it says 0 there.
func told() []*board.Panel {
	return []*board.Panel{
		board.Graph("Notices", "Notices by receiver and result: sent, given up, and each try that was not taken. One line at 0 where nobody is to be told.",
			board.PerSecond, board.Ask(rate("receiver, result", "autoheal_notifications_total")+" or on() vector(0)", "{{receiver}} {{result}}")).FromZero(),
		board.Graph("Age of the oldest notice", "How long a receiver has been waiting for a notice. One line at 0 where nobody is to be told.", board.Seconds,
			board.Ask("max by (receiver) (autoheal_notification_queue_age_seconds) or on() vector(0)", "{{receiver}}")).FromZero().Bad(60),
	}
}

func replicas() []*board.Panel {
	return []*board.Panel{
		board.Graph("Age of each replica", "Time since each program started. A line that drops to zero is a restart; on Kubernetes, a new line begins.",
			board.Seconds, board.Ask("time() - max by (job, instance) (process_start_time_seconds{instance!~\".+:.+\"})", "{{instance}}")).FromZero().LogsOf("job"),
		board.Graph("Replicas by state", "What the local supervisor makes of each workload. On Kubernetes there is none: its Deployments say it.", board.Count,
			board.Ask("sum by (workload, state) (supervisor_replicas)", "{{workload}} {{state}}")).FromZero().LogsOf("workload"),
		board.Graph("Restarts", "Restarts in the time shown, by workload: asked for, or because the program exited. Local only.", board.Count,
			board.Ask(happened("workload, cause", "supervisor_restarts_total"), "{{workload}} {{cause}}")).FromZero().LogsOf("workload"),
	}
}
