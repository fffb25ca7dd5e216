package capacity_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/slo/capacity"
	"github.com/faultline-lab/faultline/slo/internal/figure"
	"github.com/faultline-lab/faultline/slo/internal/promtest"
)

// steady is two minutes of the sheet: 40 checkouts a second, two replicas of four connections that hold 0.1 s for each; and
// a healer's connection, whose use is no checkout's.
func steady() []promtest.Series {
	const last = 120
	edge := func(metric string, perSecond float64) promtest.Series {
		return promtest.Counter(metric+`{job="storefront",http_request_method="POST",http_route="/checkout"}`, perSecond, 0, last)
	}
	all := []promtest.Series{
		edge("http_server_request_duration_seconds_count", 40), edge("http_server_request_duration_seconds_sum", 4.4),
		promtest.Counter(`http_server_request_duration_seconds_count{job="storefront",http_request_method="GET",http_route="/products"}`, 9, 0, last),
	}
	pool := func(job, instance string, size, busy, uses float64) {
		labels := fmt.Sprintf(`job=%q,instance=%q,db_client_connection_pool_name=%q`, job, instance, job)
		all = append(all, promtest.Gauge("db_client_connection_max{"+labels+"}", size),
			promtest.Counter("db_client_connection_use_time_seconds_sum{"+labels+"}", busy, 0, last),
			promtest.Counter("db_client_connection_use_time_seconds_count{"+labels+"}", uses, 0, last),
			promtest.Gauge("db_client_connection_count{"+labels+`,db_client_connection_state="used"}`, busy),
			promtest.Gauge("db_client_connection_count{"+labels+`,db_client_connection_state="idle"}`, size-busy),
			promtest.Counter("db_client_connection_timeouts_total{"+labels+"}", 0, 0, last))
	}
	pool("orders", "orders-1", 4, 2, 24)
	pool("orders", "orders-2", 4, 2, 24)
	pool("autoheal", "autoheal-1", 1, 0.01, 1)
	return append(all, promtest.Gauge(`db_client_connection_max{job="archive",instance="archive-1",db_client_connection_pool_name="archive"}`, 9))
}

func TestARealPrometheusSaysWhenAPoolIsFull(t *testing.T) {
	url, start := promtest.Filled(t, 120, steady()...)
	client, err := query.NewPrometheus(query.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	question := capacity.Question{
		Journey: capacity.DefaultJourney, Pools: capacity.DefaultPools, Window: time.Minute, At: start.Add(2 * time.Minute),
	}
	m, err := capacity.Measure(t.Context(), client, question)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "checkouts a second", m.Requests, 40)
	near(t, "mean latency", m.Latency, 0.11)
	if len(m.Loads) != 2 || m.Loads[0].Workload != "archive" || m.Loads[1].Workload != "orders" {
		t.Fatalf("pools %+v, want archive's and orders'; the healer's is left out", m.Loads)
	}
	orders := m.Loads[1]
	near(t, "saturation", orders.Saturation(), 80)
	near(t, "demand", orders.Demand(), 0.1)
	near(t, "uses", orders.Uses(), 48)
	if doubts := orders.Doubts(m.Window); len(doubts) > 0 {
		t.Errorf("doubts %q", doubts)
	}
	if archive := m.Loads[0]; archive.Saturation().Known() || len(archive.Doubts(m.Window)) != 1 {
		t.Errorf("nobody used archive's pool, and it is full at %v; doubts %q", archive.Saturation(), archive.Doubts(m.Window))
	}

	report := capacity.NewReport(m, capacity.Promise{GoodWithin: 500 * time.Millisecond, AcquireTimeout: 400 * time.Millisecond, Share: 0.95},
		&capacity.Server{MaxConnections: 40, Reserved: 6, Others: 1}, []string{"autoheal/autoheal-1: 1"}, &capacity.Wish{Rate: 100, Headroom: 0.2})
	near(t, "patience", figure.Figure(report.Patience.Wait), 0.39)
	page := report.Markdown()
	for _, want := range []string{
		"**The first to be full is pool orders/orders, at 80.0 requests/s**: 2.00 times the present rate.",
		"| orders / orders | 2 x 4 | 1.20 | 83.3 ms | 4.00 | 50 % | 40.0/s | 80.0/s |",
		"| archive / archive | 1 x 9 | unknown | unknown | unknown | unknown | unknown | unknown | unknown | unknown |",
		"40 slots - 6 reserved - 1 of others = 33 for the pools, which may open 17.", "Others: autoheal/autoheal-1: 1.",
		"| 4 | 6 | 240.0/s |", "| orders / orders | 4 | 16 | 128.0/s | fits: add 2 |",
		"| archive / archive | unknown | unknown | unknown | unknown: nothing was measured of this pool's use |",
		"> Not fit for planning: pool archive of archive: nothing is known of its use",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %q:\n%s", want, page)
		}
	}

	question.Pools = `job="nobody"`
	if _, err := capacity.Measure(t.Context(), client, question); err == nil || !strings.Contains(err.Error(), `db_client_connection_max{job="nobody"}`) {
		t.Errorf("error %v; without any pool, it says what was looked for", err)
	}
	question.Pools, question.At = "", start.Add(-time.Hour)
	if _, err := capacity.Measure(t.Context(), client, question); err == nil || !strings.Contains(err.Error(), "no pool is known") {
		t.Errorf("error %v; before there were any, no pool is known", err)
	}
}

var errDeaf = errors.New("connection refused")

type deaf struct{}

func (deaf) Instant(context.Context, string, time.Time) ([]query.Sample, error) { return nil, errDeaf }

func TestAPrometheusThatDoesNotAnswerIsAnError(t *testing.T) {
	if _, err := capacity.Measure(t.Context(), deaf{}, capacity.Question{Window: time.Minute}); !errors.Is(err, errDeaf) {
		t.Errorf("error %v", err)
	}
}
