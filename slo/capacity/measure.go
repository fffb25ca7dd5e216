package capacity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/slo/internal/figure"
)

// Prometheus answers instant queries; *query.Prometheus does.
type Prometheus interface {
	Instant(ctx context.Context, promql string, at time.Time) ([]query.Sample, error)
}

// Question says what to measure.
type Question struct {
	// Journey selects the series of http_server_request_duration_seconds whose rate is that of the requests, as the inside
	// of the braces: job="storefront",http_route="/checkout".
	Journey string
	// Pools selects the series of db_client_connection_*, likewise; empty selects all.
	Pools  string
	Window time.Duration
	At     time.Time
}

// Measured is what was found.
type Measured struct {
	At     time.Time
	Window time.Duration
	// Requests is the journey's rate, a second; Latency its mean, in seconds.
	Requests, Latency figure.Figure
	Loads             []Load
}

// DefaultJourney and DefaultPools are Faultline's own: the checkout at the edge, and every pool but the healer's, whose use
// does not grow with the checkouts.
const (
	DefaultJourney = `job="storefront",http_request_method="POST",http_route="/checkout"`
	DefaultPools   = `job!="autoheal"`
)

// Measure asks. A pool of which only the size is known has unknown figures; that there is no pool at all is an error.
func Measure(ctx context.Context, prometheus Prometheus, q Question) (Measured, error) {
	m := Measured{At: q.At, Window: q.Window}
	ask := asker{prometheus: prometheus, q: q}
	m.Requests = ask.one(ctx, "sum(rate(http_server_request_duration_seconds_count{"+q.Journey+"}[$w]))")
	m.Latency = ask.one(ctx, "sum(rate(http_server_request_duration_seconds_sum{"+q.Journey+"}[$w]))").Over(m.Requests)

	sizes := ask.each(ctx, "max by ($k) (db_client_connection_max{$p})")
	busy := ask.each(ctx, "sum by ($k) (rate(db_client_connection_use_time_seconds_sum{$p}[$w]))")
	uses := ask.each(ctx, "sum by ($k) (rate(db_client_connection_use_time_seconds_count{$p}[$w]))")
	counted := ask.each(ctx, `sum by ($k) (avg_over_time(db_client_connection_count{$p,db_client_connection_state="used"}[$w]))`)
	least := ask.each(ctx, `sum by ($k) (min_over_time(db_client_connection_count{$p,db_client_connection_state="used"}[$w]))`)
	timeouts := ask.each(ctx, "sum by ($k) (increase(db_client_connection_timeouts_total{$p}[$w]))")
	if ask.err != nil {
		return m, ask.err
	}
	if len(sizes) == 0 {
		return m, fmt.Errorf("no pool is known to Prometheus (db_client_connection_max{%s}): is the stack up, and does it "+
			"scrape programs with pool metrics?", q.Pools)
	}
	for key, size := range sizes {
		m.add(key, Replica{
			ID: key.instance, Size: int(size), Busy: of(busy, key), Uses: of(uses, key), Counted: of(counted, key), Least: of(least, key),
			Timeouts: of(timeouts, key),
		})
	}
	for i := range m.Loads {
		m.Loads[i].Requests = m.Requests
		slices.SortFunc(m.Loads[i].Replicas, func(a, b Replica) int { return strings.Compare(a.ID, b.ID) })
	}
	slices.SortFunc(m.Loads, func(a, b Load) int { return strings.Compare(a.Workload+"/"+a.Pool, b.Workload+"/"+b.Pool) })
	return m, nil
}

func (m *Measured) add(key poolKey, replica Replica) {
	for i, load := range m.Loads {
		if load.Workload == key.job && load.Pool == key.pool {
			m.Loads[i].Replicas = append(m.Loads[i].Replicas, replica)
			return
		}
	}
	m.Loads = append(m.Loads, Load{Workload: key.job, Pool: key.pool, Replicas: []Replica{replica}})
}

// poolKey tells the pools of all replicas apart.
type poolKey struct{ job, instance, pool string }

func of(figures map[poolKey]figure.Figure, key poolKey) figure.Figure {
	if value, ok := figures[key]; ok {
		return value
	}
	return figure.Unknown()
}

// asker keeps the first error, so that the questions read as a list.
type asker struct {
	prometheus Prometheus
	q          Question
	err        error
}

func (a *asker) samples(ctx context.Context, promql string) []query.Sample {
	if a.err != nil {
		return nil
	}
	promql = strings.NewReplacer(
		"$k", "job, instance, db_client_connection_pool_name", "{$p,", "{"+joined(a.q.Pools), "$p", a.q.Pools,
		"$w", fmt.Sprintf("%dms", a.q.Window.Milliseconds()),
	).Replace(promql)
	var samples []query.Sample
	samples, a.err = a.prometheus.Instant(ctx, promql, a.q.At)
	return samples
}

// joined makes a selector the beginning of a longer one.
func joined(selector string) string {
	if selector == "" {
		return ""
	}
	return selector + ","
}

// one is the answer's only value, or unknown.
func (a *asker) one(ctx context.Context, promql string) figure.Figure {
	samples := a.samples(ctx, promql)
	if len(samples) != 1 {
		return figure.Unknown()
	}
	return figure.Figure(samples[0].Value)
}

func (a *asker) each(ctx context.Context, promql string) map[poolKey]figure.Figure {
	result := map[poolKey]figure.Figure{}
	for _, sample := range a.samples(ctx, promql) {
		result[poolKey{sample.Labels["job"], sample.Labels["instance"], sample.Labels["db_client_connection_pool_name"]}] = figure.Figure(sample.Value)
	}
	return result
}
