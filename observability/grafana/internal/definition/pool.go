package definition

import (
	"github.com/faultline-lab/faultline/observability/grafana/internal/board"
	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

const (
	waited  = "db_client_connection_wait_time_seconds"
	held    = "db_client_connection_use_time_seconds"
	created = "db_client_connection_create_time_seconds"

	chosen  = `job=~"$workload",instance=~"$replica",db_client_connection_pool_name=~"$pool"`
	used    = "db_client_connection_count{" + chosen + `,db_client_connection_state="used"}`
	idle    = "db_client_connection_count{" + chosen + `,db_client_connection_state="idle"}`
	largest = "db_client_connection_max{" + chosen + "}"
	eachOne = "job, instance, db_client_connection_pool_name"
	oneName = "{{instance}} {{db_client_connection_pool_name}}"
)

// Pool answers: who waits for a connection, who holds them, and why does that last?
func Pool() model.Dashboard {
	return board.New("faultline-pool", "Faultline: connection pools",
		"Who waits for a connection, who holds them, and for how long? All of db.client.connection.* for each pool. A leak: used is "+
			"at its maximum, nobody gives anything back, callers time out. A slow database or callee: the same, with long holds.").
		Choice("workload", "Workload", "label_values(db_client_connection_max, job)").
		Choice("pool", "Pool", `label_values(db_client_connection_max{job=~"$workload"}, db_client_connection_pool_name)`).
		Choice("replica", "Replica", `label_values(db_client_connection_max{job=~"$workload"}, instance)`).
		Row("Now", 4, poolStats()...).
		Row("Connections", 8, connections()...).
		Row("Waiting", 8, waiting()...).
		Row("Holding", 8, holding()...).
		Row("Connecting to the database", 7, connecting()...).
		Row("Settings and logs", 8, poolSettings().Wide(10),
			board.Logs("Logs", "What the workloads that own these pools say.", `{service_name=~"$workload"}`)).
		Dashboard()
}

func poolStats() []*board.Panel {
	return []*board.Panel{
		board.Stat("In use", "Connections that somebody holds, of all that the pools may have.", board.Share,
			board.Ask("sum("+used+") / sum("+largest+")", "in use")).Bad(0.9),
		board.Stat("Callers waiting", "Callers in Acquire at this moment.", board.Count,
			board.Ask("sum(db_client_connection_pending_requests{"+chosen+"})", "callers")).Bad(1),
		board.Stat("Gave up waiting", "Callers whose deadline ended their wait, in the time shown.", board.Count,
			board.Ask("round(sum(increase(db_client_connection_timeouts_total{"+chosen+"}[$__range])))", "callers")).Bad(1),
		board.Stat("Refused connects", "Connects that the database refused or that did not reach it, in the time shown.", board.Count,
			board.Ask("round(sum(increase(db_client_connection_create_failures_total{"+chosen+"}[$__range])))", "connects")).Bad(1),
		board.Stat("Wait, 99th percentile", "99 of 100 callers that got a connection waited less than this.", board.Seconds,
			board.Ask(quantile("0.99", "", waited, chosen), "p99")).Bad(0.1),
		board.Stat("Mean hold", "How long a connection is held, on average.", board.Seconds,
			board.Ask("sum(rate("+held+"_sum{"+chosen+"}[$__rate_interval])) / (sum(rate("+held+"_count{"+chosen+"}[$__rate_interval])) > 0)", "hold")),
	}
}

func connections() []*board.Panel {
	return []*board.Panel{
		board.Graph("Used", "Connections acquired and not yet released, counted by hooks: leaked ones stay in it.", board.Count,
			board.Ask("sum by ("+eachOne+") ("+used+")", oneName),
			board.Ask("max("+largest+")", "largest maximum")).FromZero().LogsOf("job"),
		board.Graph("Idle", "Connections that wait for a caller. None, and callers time out: that is the symptom alert.", board.Count,
			board.Ask("sum by ("+eachOne+") ("+idle+")", oneName)).FromZero().LogsOf("job"),
		board.Graph("Saturation", "Used connections as a share of the pool's maximum.", board.Share,
			board.Ask("sum by ("+eachOne+") ("+used+") / sum by ("+eachOne+") ("+largest+")", oneName)).Range(0, 1).Bad(0.9).LogsOf("job"),
	}
}

func waiting() []*board.Panel {
	return []*board.Panel{
		board.Graph("Callers waiting", "Callers in Acquire, by replica.", board.Count,
			board.Ask("sum by ("+eachOne+") (db_client_connection_pending_requests{"+chosen+"})", oneName)).FromZero().LogsOf("job"),
		board.Graph("Acquire timeouts", "Callers a second whose deadline ended their wait. Each one is a failed request.", board.PerSecond,
			board.Ask(rate(eachOne, "db_client_connection_timeouts_total{"+chosen+"}"), oneName)).FromZero().LogsOf("job"),
		board.Graph("Wait", "How long callers waited that got a connection; who gave up is not in it. Points lead to traces, and there to "+
			"the span pool.acquire.", board.Seconds,
			board.Traced(quantile("0.99", "job, db_client_connection_pool_name", waited, chosen), "{{db_client_connection_pool_name}} p99"),
			board.Ask(quantile("0.5", "job, db_client_connection_pool_name", waited, chosen), "{{db_client_connection_pool_name}} p50")).FromZero().LogsOf("job"),
		board.Heatmap("Waits by duration", "How many callers waited how long.", board.Traced(spread(waited, chosen), "{{le}}")),
	}
}

func holding() []*board.Panel {
	return []*board.Panel{
		board.Graph("Acquired", "Connections a second that callers got.", board.PerSecond,
			board.Ask(rate(eachOne, waited+"_count{"+chosen+"}"), oneName)).FromZero().LogsOf("job"),
		board.Graph("Released", "Connections a second that were given back. Less than acquired, for long: something leaks.", board.PerSecond,
			board.Ask(rate(eachOne, held+"_count{"+chosen+"}"), oneName)).FromZero().LogsOf("job"),
		board.Graph("Hold", "How long connections were held, counted when they are given back. Points lead to traces.", board.Seconds,
			board.Traced(quantile("0.99", "job, db_client_connection_pool_name", held, chosen), "{{db_client_connection_pool_name}} p99"),
			board.Ask(quantile("0.5", "job, db_client_connection_pool_name", held, chosen), "{{db_client_connection_pool_name}} p50")).FromZero().LogsOf("job"),
		board.Heatmap("Holds by duration", "How many connections were held how long.", board.Traced(spread(held, chosen), "{{le}}")),
	}
}

func connecting() []*board.Panel {
	return []*board.Panel{
		board.Graph("New connections", "Connects a second. A pool that keeps connecting has lost connections, or they live too short.", board.PerSecond,
			board.Ask(rate(eachOne, created+"_count{"+chosen+"}"), oneName)).FromZero().LogsOf("job"),
		// A healthy pool connects once, perhaps before it was first scraped, so a rate would show nothing.
		board.Graph("Time to connect", "Mean time to a new connection, of all since each replica started.", board.Seconds,
			board.Ask("sum by (job, db_client_connection_pool_name) ("+created+"_sum{"+chosen+"}) / "+
				"(sum by (job, db_client_connection_pool_name) ("+created+"_count{"+chosen+"}) > 0)", "{{db_client_connection_pool_name}}")).
			FromZero().LogsOf("job"),
		board.Graph("Failed connects", "Connects a second that failed, by SQLSTATE. 53300: the server has no slot left.", board.PerSecond,
			board.Ask(rate("job, db_client_connection_pool_name, db_response_status_code", "db_client_connection_create_failures_total{"+chosen+"}"),
				"{{db_client_connection_pool_name}} {{db_response_status_code}}")).FromZero().LogsOf("job"),
	}
}

func poolSettings() *board.Panel {
	column := func(title, metric string) board.Column {
		return board.Column{Title: title, Unit: board.Count, Expr: "sum by (" + eachOne + ") (" + metric + "{" + chosen + "})"}
	}
	return board.Table("Settings", "What each pool is configured to be.",
		[]board.Column{
			{Title: "Workload", Expr: "job"}, {Title: "Replica", Expr: "instance"}, {Title: "Pool", Expr: "db_client_connection_pool_name"},
		},
		column("Most", "db_client_connection_max"),
		column("Least idle", "db_client_connection_idle_min"),
		column("Most idle", "db_client_connection_idle_max"))
}
