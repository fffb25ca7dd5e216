package definition

import (
	"github.com/faultline-lab/faultline/observability/grafana/internal/board"
	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

const (
	served  = "http_server_request_duration_seconds"
	called  = "http_client_request_duration_seconds"
	working = `job=~"$workload"`
	// answered5xx are requests that failed for the server's own reasons; unanswered5xx are calls that did, or that got no
	// answer at all.
	answered5xx   = `http_response_status_code=~"5.."`
	unanswered5xx = `http_response_status_code!~"[1-4].."`
)

// Overview answers: is the shop well, and if not, where does it begin?
func Overview() model.Dashboard {
	return board.New("faultline-overview", "Faultline: overview",
		"Is the shop well, and if not, where does it begin? Rate, errors and duration of every workload and route. A point on a "+
			"duration graph is one request: click it for its trace, and a span of the trace for its logs.").
		Choice("workload", "Workload", "label_values("+served+"_count, job)").
		Row("The edge, as customers see it", 4, edgeStats()...).
		Row("By workload: rate, errors, duration", 8, byWorkload()...).
		Row("By route", 8, byRoute()...).
		Row("Routes now", 8, routes()).
		Row("Calls to others, seen by the caller", 7, calls()...).
		Row("What happens to orders", 7, orders()...).
		Row("What storefront and outbox do about it", 7, delivery()...).
		Row("Alerts and logs", 9,
			board.State("Alerts", "Which alerts fire. An alert ends a few seconds after its cause: it is no proof of recovery.",
				"quiet", "firing", board.Ask(firing(""), "{{alertname}} {{instance}}")),
			board.Logs("Warnings and errors", "What the chosen workloads complain about. A line's trace_id leads to its trace.",
				`{service_name=~"$workload"} | severity_text=~"WARN|ERROR"`)).
		Row("The senses themselves", 7, senses()...).
		Dashboard()
}

func edgeStats() []*board.Panel {
	total := "sum(rate(" + served + "_count{" + checkout + `,http_response_status_code!~"4.."}[$__rate_interval]))`
	good := "sum(rate(" + served + "_bucket{" + checkout + `,http_response_status_code=~"2..",le="0.5"}[$__rate_interval]))`
	return []*board.Panel{
		board.Stat("Checkouts", "Checkouts a second at the edge, whatever became of them.", board.Requests,
			board.Ask("sum(rate("+served+"_count{"+checkout+"}[$__rate_interval]))", "checkouts")),
		board.Stat("Good checkouts", "Share that succeeded within 0.5 s, of those that are not the customer's own fault (4xx).", board.Share,
			board.Ask("("+orZero(good, total)+") / ("+total+" > 0)", "good")).BadBelow(0.95),
		board.Stat("Checkout, 99th percentile", "99 of 100 checkouts are faster than this. The objective is 0.5 s.", board.Seconds,
			board.Ask(quantile("0.99", "", served, checkout), "p99")).Bad(0.5),
		board.Stat("Firing alerts", "How many alerts fire now.", board.Count,
			board.Ask(`count(ALERTS{alertstate="firing"}) or vector(0)`, "alerts")).Bad(1),
		board.Stat("Open incidents", "Incidents that the healer works on.", board.Count,
			board.Ask("sum(autoheal_open_incidents)", "incidents")).Bad(1),
		board.Stat("Programs not heard of", "Targets that Prometheus cannot read now.", board.Count,
			board.Ask("count(up == 0) or 0 * count(up)", "programs")).Bad(1),
	}
}

func byWorkload() []*board.Panel {
	all := rate("job", served+"_count{"+working+"}")
	failed := rate("job", served+"_count{"+working+","+answered5xx+"}")
	return []*board.Panel{
		board.Graph("Requests", "Requests a second that each workload answered, over all its replicas.", board.Requests,
			board.Ask(all, "{{job}}")).FromZero().LogsOf("job").PoolOf(),
		board.Graph("Errors", "Share of requests that a workload answered with 5xx.", board.Share,
			board.Ask("("+orZero(failed, all)+") / ("+all+" > 0)", "{{job}}")).Range(0, 1).LogsOf("job").PoolOf(),
		board.Graph("Duration", "99th percentile and median of the time to an answer. Points are requests with a trace.", board.Seconds,
			board.Traced(quantile("0.99", "job", served, working), "{{job}} p99"),
			board.Ask(quantile("0.5", "job", served, working), "{{job}} p50")).FromZero().LogsOf("job").PoolOf(),
	}
}

func byRoute() []*board.Panel {
	return []*board.Panel{
		board.Graph("Requests by route", "Requests a second by workload, method and route.", board.Requests,
			board.Ask(rate("job, http_request_method, http_route", served+"_count{"+working+"}"),
				"{{job}} {{http_request_method}} {{http_route}}")).FromZero().LogsOf("job"),
		board.Graph("Answers by status", "Requests a second by workload and status.", board.Requests,
			board.Ask(rate("job, http_response_status_code", served+"_count{"+working+"}"),
				"{{job}} {{http_response_status_code}}")).FromZero().LogsOf("job"),
		board.Graph("Duration by route, 99th percentile", "Where the time goes. Points are requests with a trace.", board.Seconds,
			board.Traced(quantile("0.99", "job, http_request_method, http_route", served, working),
				"{{job}} {{http_request_method}} {{http_route}}")).FromZero().LogsOf("job"),
		board.Heatmap("Checkouts by duration", "How many checkouts took how long, at the edge. Two bands are two kinds of requests.",
			board.Traced(spread(served, checkout), "{{le}}")),
	}
}

func routes() *board.Panel {
	const by = "job, http_request_method, http_route"
	all := rate(by, served+"_count{"+working+"}")
	failed := rate(by, served+"_count{"+working+","+answered5xx+"}")
	return board.Table("Routes", "Every route of the chosen workloads with its rate, errors and duration at this moment.",
		[]board.Column{
			{Title: "Workload", Expr: "job"}, {Title: "Method", Expr: "http_request_method"}, {Title: "Route", Expr: "http_route"},
		},
		board.Column{Title: "Requests", Unit: board.Requests, Expr: all},
		board.Column{Title: "5xx", Unit: board.Share, Expr: "(" + orZero(failed, all) + ") / (" + all + " > 0)"},
		board.Column{Title: "p50", Unit: board.Seconds, Expr: quantile("0.5", by, served, working)},
		board.Column{Title: "p99", Unit: board.Seconds, Expr: quantile("0.99", by, served, working)})
}

func calls() []*board.Panel {
	const by, name = "job, server_address, server_port", "{{job}} -> {{server_address}}:{{server_port}}"
	all := rate(by, called+"_count{"+working+"}")
	failed := rate(by, called+"_count{"+working+","+unanswered5xx+"}")
	return []*board.Panel{
		board.Graph("Calls", "Calls a second from each workload to each address.", board.Requests, board.Ask(all, name)).
			FromZero().LogsOf("job"),
		board.Graph("Failed calls", "Share of calls that got 5xx or no answer within their deadline.", board.Share,
			board.Ask("("+orZero(failed, all)+") / ("+all+" > 0)", name)).Range(0, 1).LogsOf("job"),
		board.Graph("Duration of calls, 99th percentile", "What the callee takes plus the way there. Points are calls with a trace.",
			board.Seconds, board.Traced(quantile("0.99", by, called, working), name)).FromZero().LogsOf("job"),
	}
}

func orders() []*board.Panel {
	return []*board.Panel{
		board.Graph("Placements", "Orders by what became of them.", board.PerSecond,
			board.Ask(rate("outcome", "orders_placements_total"), "{{outcome}}")).Stacked().FromZero(),
		board.Graph("Idempotency keys", "Keys by whether they were new, repeated, or came with another order.", board.PerSecond,
			board.Ask(rate("result", "orders_idempotency_keys_total"), "{{result}}")).Stacked().FromZero(),
		board.Graph("Reservations", "Stock reservations by result. Expired ones were never committed or released.", board.PerSecond,
			board.Ask(rate("result", "inventory_reservations_total"), "{{result}}")).FromZero(),
		board.Graph("Authorizations", "Payments by result.", board.PerSecond,
			board.Ask(rate("result", "payments_authorizations_total"), "{{result}}")).FromZero(),
	}
}

func delivery() []*board.Panel {
	return []*board.Panel{
		board.Graph("Outbox, waiting messages", "Commits to inventory that are still to be delivered, over all replicas' view of one table.", board.Count,
			board.Ask("max(orders_outbox_pending_messages)", "messages")).FromZero(),
		board.Graph("Outbox, age of the oldest", "How long the oldest message has waited.", board.Seconds,
			board.Ask("max(orders_outbox_oldest_age_seconds)", "oldest")).FromZero(),
		board.Graph("Outbox, deliveries", "Deliveries by result.", board.PerSecond,
			board.Ask(rate("result", "orders_outbox_deliveries_total"), "{{result}}")).FromZero(),
		board.Graph("Backends of storefront", "Replicas of orders that storefront knows, and its calls that moved on to the next one.", board.Count,
			board.Ask("sum by (instance) (storefront_backends)", "{{instance}} backends"),
			board.Ask("sum(increase(storefront_failovers_total[$__rate_interval]))", "failovers")).FromZero(),
	}
}

func senses() []*board.Panel {
	return []*board.Panel{
		board.Graph("Lost records", "Spans and log records that a backend did not take. What is lost is missing from traces and logs.", board.PerSecond,
			board.Ask(rate("job, signal", "telemetry_lost_records_total"), "{{job}} {{signal}}")).FromZero(),
		board.Graph("Queued records", "Spans and log records that wait to be sent; a full queue loses them.", board.Count,
			board.Ask("sum by (job, signal) (telemetry_queued_records)", "{{job}} {{signal}}")).FromZero(),
		board.Graph("Reading the programs", "How long Prometheus takes to read each program's metrics.", board.Seconds,
			board.Ask("max by (job) (scrape_duration_seconds)", "{{job}}")).FromZero(),
	}
}
