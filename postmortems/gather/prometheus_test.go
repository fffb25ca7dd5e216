package gather_test

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/postmortems/gather"
	"github.com/faultline-lab/faultline/postmortems/report"
)

// history is 90 s of samples, one a second, whose every figure is known: a real Prometheus is filled with it.
//
//	second 0..29   40 checkouts/s, all good
//	second 30..35  10 good, 2 slow, 28 failed with a status never seen before
//	second 36..    40/s, all good
//	second 50      no scrape arrives for four seconds
//	second 60      storefront restarts: its counters begin again
//	second 65..66  30 of 40 only taken for later (202)
//	second 70      orders-1's gauge is NaN for one scrape
type history struct{ start time.Time }

func (h history) openMetrics() []byte {
	var good, slow, failed, timeouts, taken float64
	const base = `{job="storefront",instance="storefront-1",http_request_method="POST",http_route="/checkout"`
	series := map[string]*strings.Builder{}
	put := func(family, name string, second int, v float64) {
		if series[family] == nil {
			series[family] = &strings.Builder{}
		}
		fmt.Fprintf(series[family], "%s %g %d\n", name, v, h.start.Unix()+int64(second))
	}
	good = 1000
	for s := range 90 {
		bad := s >= 30 && s < 36
		if s == 60 {
			good, slow, failed = 0, 0, 0
		}
		if bad {
			good, slow, failed, timeouts = good+10, slow+2, failed+28, timeouts+28
		} else {
			good += 40
		}
		if s == 65 || s == 66 {
			good, taken = good-30, taken+30
		}
		if s >= 50 && s < 54 {
			continue
		}
		put("count", "http_server_request_duration_seconds_count"+base+`,http_response_status_code="201"}`, s, good+slow)
		put("count2", "http_server_request_duration_seconds_count"+base+`,http_response_status_code="422"}`, s, float64(7*s))
		if failed > 0 {
			put("count3", "http_server_request_duration_seconds_count"+base+`,http_response_status_code="503"}`, s, failed)
		}
		put("bucket", "http_server_request_duration_seconds_bucket"+base+`,http_response_status_code="201",le="0.5"}`, s, good)
		if taken > 0 {
			put("count4", "http_server_request_duration_seconds_count"+base+`,http_response_status_code="202"}`, s, taken)
			put("bucket2", "http_server_request_duration_seconds_bucket"+base+`,http_response_status_code="202",le="0.5"}`, s, taken)
		}
		used := 2.0
		if bad {
			used = 4
		}
		if s == 70 {
			used = math.NaN()
		}
		const pool = `{job="orders",instance="orders-1",db_client_connection_pool_name="orders"`
		put("used", "db_client_connection_count"+pool+`,db_client_connection_state="used"}`, s, used)
		put("idle", "db_client_connection_count"+pool+`,db_client_connection_state="idle"}`, s, 4-used)
		put("max", "db_client_connection_max"+pool+"}", s, 4)
		put("pending", "db_client_connection_pending_requests"+pool+"}", s, 3)
		put("timeouts", "db_client_connection_timeouts_total"+pool+"}", s, timeouts)
		put("other", `db_client_connection_max{job="orders-archive",instance="x",db_client_connection_pool_name="x"}`, s, 9)
	}
	var out bytes.Buffer
	for _, s := range series {
		out.WriteString(s.String())
	}
	out.WriteString("# EOF\n")
	return out.Bytes()
}

func TestFiguresReadFromARealPrometheusAreExact(t *testing.T) {
	h := history{start: time.Now().Add(-3 * time.Hour).Truncate(time.Minute).UTC()}
	client, err := query.NewPrometheus(query.Config{URL: filledPrometheus(t, h)})
	if err != nil {
		t.Fatal(err)
	}
	g, err := gather.New(gather.Config{Metrics: client, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	at := func(second int) *time.Time { u := h.start.Add(time.Duration(second) * time.Second); return &u }
	tel := g.Around(t.Context(), incident.Incident{
		ID: "i", Workload: "orders", State: incident.Closed, Stages: incident.Stages{AlertStartsAt: at(32), Ended: at(73)},
	})
	if !tel.Edge.All.Known() || !tel.Edge.Fast.Known() {
		t.Fatalf("the edge is unknown: %q, %q", tel.Edge.All.Unknown, tel.Edge.Fast.Unknown)
	}
	second := func(line report.Line, s int) float64 {
		return line[int(at(s).Sub(tel.Grid.Start)/tel.Grid.Step)]
	}
	for _, test := range []struct {
		name              string
		second            int
		total, done, good float64
		taken             float64
	}{
		{"a good second, business refusals left out", 10, 40, 40, 40, 0},
		{"the first bad second, whose status had no series before", 30, 40, 12, 10, 0},
		{"the last bad second", 35, 40, 12, 10, 0},
		{"the first good second again", 36, 40, 40, 40, 0},
		{"a second without a scrape is unknown", 52, math.NaN(), math.NaN(), math.NaN(), math.NaN()},
		{"the second of the restart counts from zero", 60, 40, 40, 40, 0},
		{"orders that are taken for later are answered and not good", 65, 40, 40, 10, 30},
	} {
		t.Run(test.name, func(t *testing.T) {
			same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
			total, done, good := second(tel.Edge.Total, test.second), second(tel.Edge.Done, test.second), second(tel.Edge.Good, test.second)
			taken := second(tel.Edge.Taken, test.second)
			if !same(total, test.total) || !same(done, test.done) || !same(good, test.good) || !same(taken, test.taken) {
				t.Errorf("total %g, done %g, good %g, taken %g; want %g, %g, %g, %g", total, done, good, taken, test.total, test.done, test.good, test.taken)
			}
		})
	}
	pools(t, tel, second)
}

func pools(t *testing.T, tel report.Telemetry, second func(report.Line, int) float64) {
	if len(tel.Pools.Pools) != 1 {
		t.Fatalf("%d pools, want the one of orders: %+v", len(tel.Pools.Pools), tel.Pools.Pools)
	}
	pool := tel.Pools.Pools[0]
	if pool.Replica != "orders-1" || pool.Name != "orders" {
		t.Errorf("the pool is %s of %s", pool.Name, pool.Replica)
	}
	for _, test := range []struct {
		name string
		got  float64
		want float64
	}{
		{"in use before", second(pool.Used, 10), 2},
		{"in use in the bad spell", second(pool.Used, 33), 4},
		{"idle in the bad spell", second(pool.Idle, 33), 0},
		{"size", second(pool.Max, 33), 4},
		{"waiting", second(pool.Pending, 33), 3},
		{"timeouts in a bad second", second(pool.Timeouts, 33), 28},
		{"timeouts in a good second", second(pool.Timeouts, 40), 0},
	} {
		if test.got != test.want {
			t.Errorf("%s: %g, want %g", test.name, test.got, test.want)
		}
	}
	if v := second(pool.Used, 70); !math.IsNaN(v) {
		t.Errorf("a gauge that is NaN reads %g", v)
	}
}

func TestATimeOfWhichPrometheusKnowsNothingIsUnknown(t *testing.T) {
	h := history{start: time.Now().Add(-3 * time.Hour).Truncate(time.Minute).UTC()}
	client, err := query.NewPrometheus(query.Config{URL: filledPrometheus(t, h)})
	if err != nil {
		t.Fatal(err)
	}
	g, err := gather.New(gather.Config{Metrics: client, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	long := h.start.Add(-time.Hour)
	tel := g.Around(t.Context(), incident.Incident{
		ID: "i", Workload: "orders", State: incident.Closed,
		Stages: incident.Stages{AlertStartsAt: &long, Ended: &long},
	})
	if tel.Edge.All.Known() {
		t.Error("the edge counts as known")
	}
	if len(tel.Pools.Pools) != 0 {
		t.Errorf("pools from nowhere: %+v", tel.Pools.Pools)
	}
}

func TestAPrometheusThatDoesNotAnswerIsUnknownForItsReason(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	listener.Close()
	client, err := query.NewPrometheus(query.Config{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	g, err := gather.New(gather.Config{Metrics: client, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now().Add(-time.Minute)
	tel := g.Around(t.Context(), incident.Incident{
		ID: "i", Workload: "orders", State: incident.Closed,
		Stages: incident.Stages{AlertStartsAt: &start},
	})
	if got := tel.Edge.All.Unknown; !strings.HasPrefix(got, "prometheus does not answer: ") || !strings.Contains(got, "refused") {
		t.Errorf("the reason is %q", got)
	}
	if strings.Contains(tel.Pools.Used.Unknown, "db_client") {
		t.Errorf("the reason repeats the query: %q", tel.Pools.Used.Unknown)
	}
}

// filledPrometheus starts a Prometheus over blocks made of the history, and returns its URL.
func filledPrometheus(t *testing.T, h history) string {
	t.Helper()
	prometheus, promtool := tool(t, "prometheus"), tool(t, "promtool")
	dir := t.TempDir()
	text, blocks := filepath.Join(dir, "history.om"), filepath.Join(dir, "blocks")
	config := filepath.Join(dir, "prometheus.yml")
	for path, content := range map[string][]byte{text: h.openMetrics(), config: []byte("global: {scrape_interval: 1h}\n")} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "tsdb", "create-blocks-from", "openmetrics", text, blocks).CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
	address := freeAddress(t)
	var log bytes.Buffer
	command := exec.CommandContext(t.Context(), prometheus, "--config.file="+config, "--storage.tsdb.path="+blocks,
		"--web.listen-address="+address, "--log.level=warn")
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { _ = command.Wait(); close(exited) }()
	t.Cleanup(func() { _ = command.Process.Kill(); <-exited })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get("http://" + address + "/-/ready")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return "http://" + address
			}
		}
		select {
		case <-exited:
			t.Fatalf("prometheus ended:\n%s", log.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("prometheus is not ready after a minute")
		}
	}
}

// tool finds a program of the stack. In CI a missing one is a failure: a skipped test proves nothing.
func tool(t *testing.T, name string) string {
	t.Helper()
	if dir := os.Getenv("FAULTLINE_TOOLS_DIR"); dir != "" {
		if path := filepath.Join(dir, name); exec.Command(path, "--version").Run() == nil {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	text := fmt.Sprintf("NOT TESTED: reading the figures of an incident from a real Prometheus. There is no %s in FAULTLINE_TOOLS_DIR "+
		"or PATH; `make test` provides it.", name)
	if os.Getenv("CI") == "true" {
		t.Fatal(text)
	}
	t.Skip(text)
	return ""
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
