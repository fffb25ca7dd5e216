package definition

import (
	"github.com/faultline-lab/faultline/observability/grafana/internal/board"
	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

const (
	poolOf   = "job, db_client_connection_pool_name"
	poolName = "{{job}} {{db_client_connection_pool_name}}"

	usedOf = "db_client_connection_count{" + working + `,db_client_connection_state="used"}`
	mostOf = "db_client_connection_max{" + working + "}"

	// Recorded by slo/rules/capacity.rules.yml, for every pool over all replicas.
	demandOf     = "sum by (" + poolOf + ") (pool:demand:connection_seconds_per_checkout{" + working + "})"
	saturationOf = "sum by (" + poolOf + ") (pool:saturation:checkouts_per_second{" + working + "})"
	freeOf       = "sum by (" + poolOf + ") (pool:free:ratio{" + working + "})"
)

// Capacity answers: how much more fits?
func Capacity() model.Dashboard {
	return board.New("faultline-capacity", "Faultline: capacity",
		"How much more fits? Little's law: connections in use = uses a second x mean hold. So a checkout costs connection-seconds, a pool "+
			"is full at its size / that cost, and a fault that lengthens holds takes capacity away although nothing else has changed. "+
			"`slo capacity` says the same as a report, and plans.").
		Choice("workload", "Workload", "label_values(up, job)").
		Row("Little's law", 8, little()...).
		Row("How much more fits", 8, headroom()...).
		Row("Plan", 7, plan()).
		Row("Processor and memory", 8, resources()...).
		Row("Go", 8, runtime()...).
		Row("Load", 7, load()...).
		Dashboard()
}

// The terms of Little's law.
func arrivals(by string) string { return rate(by, waited+"_count{"+working+"}") }
func hold(by string) string     { return mean(by, held, working, "$__rate_interval") }
func busy() string              { return rate(poolOf, held+"_sum{"+working+"}") }
func size(by string) string     { return "sum by (" + by + ") (" + mostOf + ")" }

func little() []*board.Panel {
	measured := "sum by (" + poolOf + ") (avg_over_time(" + usedOf + "[$__rate_interval]))"
	return []*board.Panel{
		board.Graph("Arrival rate", "Connections a second that callers take, by pool, over all replicas.", board.PerSecond,
			board.Ask(arrivals(poolOf), poolName)).FromZero().LogsOf("job").PoolOf(),
		board.Graph("Hold", "How long a connection is held: the mean, which the law takes, and the 99th percentile. Points lead to traces.", board.Seconds,
			board.Traced(quantile("0.99", poolOf, held, working), poolName+" p99"), board.Ask(hold(poolOf), poolName+" mean")).
			FromZero().LogsOf("job").PoolOf(),
		board.Graph("Connections in use: law and count", "The law (rate x mean hold, from connections that were given back) against the count. "+
			"They agree while all is well. A count above the law is held by somebody who has not given it back: a leak, or a very long hold.",
			board.Count, board.Ask(busy(), poolName+" by the law"), board.Ask(measured, poolName+" counted")).
			FromZero().LogsOf("job").PoolOf(),
	}
}

func headroom() []*board.Panel {
	return []*board.Panel{
		board.Graph("Full at", "The rate of checkouts at which a workload's pools are full, all replicas together: their size / what a checkout "+
			"costs. The checkouts are beside it.", board.PerSecond,
			board.Ask(saturationOf, poolName+" full at"), board.Ask(rate("", served+"_count{"+checkout+"}"), "checkouts")).FromZero().LogsOf("job").PoolOf(),
		board.Graph("A checkout costs", "Connection-seconds that a checkout costs a pool, over all of its uses. The outbox's looks are in it, and the mean "+
			"hold is not: short looks make that smaller without making room.", board.Seconds,
			board.Ask(demandOf, poolName)).FromZero().LogsOf("job").PoolOf(),
		board.Graph("One replica is full at", "The rate of checkouts that fills the pool of one replica. Another replica adds that much, as long as the "+
			"server has sessions for it.", board.PerSecond,
			board.Ask(size(eachOne)+" / on ("+poolOf+") group_left () "+demandOf, oneName)).FromZero().LogsOf("job").PoolOf(),
		board.Graph("Free share", "Part of the pools that is free at this rate and hold: 1 - busy / size, by the law. Below a fifth, waiting grows "+
			"steeply.", board.Share, board.Ask(freeOf, poolName)).Range(0, 1).BadBelow(0.2).LogsOf("job").PoolOf(),
		board.Graph("Sessions: open and allowed", "Database sessions that the pools have open, and that they may open together. The latter plus "+
			"everybody else's must stay under the server's max_connections.", board.Count,
			board.Ask("sum by ("+poolOf+") (db_client_connection_count{"+working+"})", poolName+" open"),
			board.Ask(size(poolOf), poolName+" allowed")).FromZero().LogsOf("job").PoolOf(),
	}
}

func plan() *board.Panel {
	return board.Table("Pools now", "The terms of the law for each pool, over all replicas.",
		[]board.Column{{Title: "Workload", Expr: "job"}, {Title: "Pool", Expr: "db_client_connection_pool_name"}},
		board.Column{Title: "Arrivals", Unit: board.PerSecond, Expr: arrivals(poolOf)},
		board.Column{Title: "Mean hold", Unit: board.Seconds, Expr: hold(poolOf)},
		board.Column{Title: "Busy", Unit: board.Count, Expr: busy()},
		board.Column{Title: "Size", Unit: board.Count, Expr: size(poolOf)},
		board.Column{Title: "A checkout costs", Unit: board.Seconds, Expr: demandOf},
		board.Column{Title: "Full at checkouts", Unit: board.PerSecond, Expr: saturationOf},
		board.Column{Title: "Free", Unit: board.Share, Expr: freeOf})
}

func resources() []*board.Panel {
	return []*board.Panel{
		board.Graph("Processor", "Cores that each program uses. 1 is one core, all of the time.", board.Cores,
			board.Ask(rate("job, instance", "process_cpu_seconds_total{"+working+"}"), "{{instance}}")).FromZero().LogsOf("job"),
		board.Graph("Memory", "Resident memory of each program.", board.Bytes,
			board.Ask("sum by (job, instance) (process_resident_memory_bytes{"+working+"})", "{{job}} {{instance}}")).FromZero().LogsOf("job"),
		board.Graph("Open files", "File descriptors of each program: connections are among them.", board.Count,
			board.Ask("sum by (job, instance) (process_open_fds{"+working+"})", "{{instance}}")).FromZero().LogsOf("job"),
	}
}

func runtime() []*board.Panel {
	return []*board.Panel{
		board.Graph("Goroutines", "Goroutines of each program. A line that only rises is a leak.", board.Count,
			board.Ask("sum by (job, instance) (go_goroutine_count{"+working+"})", "{{instance}}")).FromZero().LogsOf("job"),
		board.Graph("Memory that Go uses", "Memory that the Go runtime holds, stacks included.", board.Bytes,
			board.Ask("sum by (job, instance) (go_memory_used_bytes{"+working+"})", "{{instance}}")).FromZero().LogsOf("job"),
		board.Graph("Allocated", "Bytes a second that are allocated: what the garbage collector has to work off.", board.BytesPerSec,
			board.Ask(rate("job, instance", "go_memory_allocated_bytes_total{"+working+"}"), "{{instance}}")).FromZero().LogsOf("job"),
	}
}

func load() []*board.Panel {
	return []*board.Panel{
		board.Graph("Load generator: asked for and done", "Checkouts a second that it is to send, and that ended.", board.Requests,
			board.Ask("sum(loadgen_target_checkouts_per_second)", "asked for"), board.Ask("sum(rate(loadgen_checkouts_total[$__rate_interval]))", "ended")).FromZero(),
		board.Graph("Load generator: in flight", "Requests that wait for an answer: by the same law, rate x latency.", board.Count,
			board.Ask("sum(loadgen_in_flight_requests)", "requests")).FromZero(),
		board.Graph("Load generator: lateness", "How late it sends, 99th percentile. More than some milliseconds: this machine is too busy to measure.",
			board.Seconds, board.Traced(quantile("0.99", "", "loadgen_send_lateness_seconds", ""), "p99")).FromZero(),
	}
}
