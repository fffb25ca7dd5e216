package collect

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/e2e/signature"
	"github.com/faultline-lab/faultline/observability/query"
)

// question is one PromQL expression and how its series become facts.
type question struct {
	fact, unit string
	promql     string
	subject    func(query.Labels) string
}

// pools is the label set of the patients' pools.
const pools = `job=~"orders|inventory"`

// checkouts is that of the checkouts at the edge.
const checkouts = `job="storefront",http_request_method="POST",http_route="/checkout"`

func instance(labels query.Labels) string { return labels["instance"] }

func edge(query.Labels) string { return "storefront" }

// questions lists what Prometheus is asked. All windows are of three scrapes, as those of the healer.
func questions() []question {
	byInstance := func(of string) string { return "sum by (instance) (" + of + ")" }
	mean := func(histogram, labels string) string {
		return byInstance("rate("+histogram+"_sum{"+labels+"}[3s])") + " / " + byInstance("rate("+histogram+"_count{"+labels+"}[3s])")
	}
	return append(releases(), append(edges(), []question{
		{signature.PoolIdle, "{connection}", byInstance(`db_client_connection_count{` + pools + `,db_client_connection_state="idle"}`), instance},
		{signature.PoolUsed, "{connection}", byInstance(`db_client_connection_count{` + pools + `,db_client_connection_state="used"}`), instance},
		{signature.PoolMax, "{connection}", byInstance(`db_client_connection_max{` + pools + `}`), instance},
		{signature.PoolPending, "{request}", byInstance(`db_client_connection_pending_requests{` + pools + `}`), instance},
		{signature.PoolTimeouts, "{timeout}", byInstance(`increase(db_client_connection_timeouts_total{` + pools + `}[3s])`), instance},
		{signature.PoolReleases, "{release}", byInstance(`increase(db_client_connection_use_time_seconds_count{` + pools + `}[3s])`), instance},
		{
			signature.PoolConnectRefusals, "{refusal}",
			byInstance(`increase(db_client_connection_create_failures_total{` + pools + `,db_response_status_code="53300"}[3s])`), instance,
		},
		{
			signature.PoolConnectFailures, "{failure}",
			`sum by (instance, db_response_status_code) (increase(db_client_connection_create_failures_total{` + pools + `}[3s]))`,
			func(l query.Labels) string { return l["instance"] + "/" + l["db_response_status_code"] },
		},
		{signature.PoolHoldMean, "s", mean("db_client_connection_use_time_seconds", pools), instance},
		{signature.PoolWaitMean, "s", mean("db_client_connection_wait_time_seconds", pools), instance},
		{signature.RoundTripMean, "s", mean("db_client_round_trip_duration_seconds", pools), instance},
		{
			signature.RoundTripQuick, "1", byInstance(`rate(db_client_round_trip_duration_seconds_bucket{`+pools+`,le="0.05"}[3s])`) + " / " +
				byInstance(`rate(db_client_round_trip_duration_seconds_count{`+pools+`}[3s])`), instance,
		},
		{signature.RequestRate, "{request}/s", byInstance(`rate(http_server_request_duration_seconds_count{` + pools + `,http_request_method="POST"}[3s])`), instance},
	}...)...)
}

// edges lists what is asked about the checkouts at the edge. The rate of before is that of some time ago, which a fault of
// some seconds has not touched.
func edges() []question {
	arrivals := `sum(rate(http_server_request_duration_seconds_count{` + checkouts + `}[3s]))`
	earlier := `sum(rate(http_server_request_duration_seconds_count{` + checkouts + `}[20s] offset 20s))`
	counted := `sum(increase(http_server_request_duration_seconds_count{` + checkouts + `,http_response_status_code!~"4.."}[3s]))`
	good := `sum(increase(http_server_request_duration_seconds_bucket{` + checkouts + `,http_response_status_code=~"2..",le="0.5"}[3s]))`
	return []question{
		{signature.EdgeArrivalRate, "{checkout}/s", arrivals, edge},
		{signature.EdgeArrivalRatio, "1", arrivals + " / " + earlier, edge},
		{signature.EdgeTotal, "{checkout}", counted, edge},
		{signature.EdgeGoodRatio, "1", "(" + good + " or vector(0)) / " + counted, edge},
	}
}

// releases asks since when each replica's version has been seen, and how much longer the oldest one of the last five minutes.
func releases() []question {
	const (
		seen    = `time() - min by (version) (min_over_time(timestamp(up{job="orders"})[5m:1s]))`
		running = `* on (version) group_right () max by (instance, version) (up{job="orders"} ^ 0)`
	)
	age := `(` + seen + `) ` + running
	oldest := `scalar(max(` + seen + `))`
	return []question{
		{signature.ReleaseAge, "s", age, instance},
		{signature.ReleaseLead, "s", oldest + ` - (` + age + `)`, instance},
	}
}

// metrics asks Prometheus everything at once.
func (c *Collector) metrics(ctx context.Context, known listing) []signature.Fact {
	asked := append(questions(), calls(known))
	answers := make([][]signature.Fact, len(asked))
	var wait sync.WaitGroup
	for i, q := range asked {
		wait.Go(func() { answers[i] = c.ask(ctx, q) })
	}
	wait.Wait()
	var facts []signature.Fact
	for _, answer := range answers {
		facts = append(facts, answer...)
	}
	return facts
}

func (c *Collector) ask(ctx context.Context, q question) []signature.Fact {
	samples, err := c.prometheus.Instant(ctx, q.promql, time.Time{})
	switch {
	case err != nil:
		return []signature.Fact{unknown(signature.Prometheus, q.fact, signature.Prometheus, q.promql, err.Error(), time.Now())}
	case len(samples) == 0:
		return []signature.Fact{unknown(signature.Prometheus, q.fact, signature.Prometheus, q.promql, "no such series", time.Now())}
	}
	facts := make([]signature.Fact, len(samples))
	for i, sample := range samples {
		facts[i] = measured(signature.Prometheus, q.fact, q.subject(sample.Labels), q.promql, q.unit, sample.Value, sample.At)
	}
	return facts
}

// calls asks for the mean time of orders' calls, by the workload that was called: the labels have only its address.
func calls(known listing) question {
	const (
		by  = `sum by (server_address, server_port) `
		sum = by + `(rate(http_client_request_duration_seconds_sum{job="orders"}[3s]))`
	)
	return question{
		fact: signature.CallTimeMean, unit: "s",
		promql: sum + ` / ` + by + `(rate(http_client_request_duration_seconds_count{job="orders"}[3s]))`,
		subject: func(labels query.Labels) string {
			return known.workloadAt(labels["server_address"], labels["server_port"])
		},
	}
}

// workloadAt names the workload that answers at an address: locally a replica's, on Kubernetes its Service's name.
func (l listing) workloadAt(host, port string) string {
	address := net.JoinHostPort(host, port)
	for _, workload := range l.all {
		for _, replica := range workload.Replicas {
			if replica.Address == address {
				return workload.Name
			}
		}
	}
	name, _, _ := strings.Cut(host, ".")
	return name
}
