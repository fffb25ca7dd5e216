package query_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/observability/internal/stacktest"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/observability/stackconfig"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// The promise of the whole module, with every part real: from a figure on a graph to the trace of one request behind
// it, and from there to what was logged.
func TestAnExemplarLeadsToItsTraceAndItsLogs(t *testing.T) {
	traces, logs := stacktest.Jaeger(t), stacktest.Loki(t)
	tel, err := telemetry.Start(t.Context(), telemetry.Config{
		Service: "orders", Instance: "orders-1", Version: "v1",
		TracesURL: "http://127.0.0.1:" + port(traces, 1), LogsURL: logs.URL + "/otlp/v1/logs",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Shutdown(context.Background()) })
	server := httptest.NewServer(service(tel))
	defer server.Close()
	metrics := stacktest.Prometheus(t, stackconfig.PrometheusParams{
		DiscoveryURL: server.URL + "/discovery", RuleFiles: []string{alwaysFiring(t)},
	})
	p, l, j := prometheus(t, query.Config{URL: metrics.URL}), loki(t, query.Config{URL: logs.URL}), jaeger(t, query.Config{URL: traces.URL})
	begin := time.Now().Add(-time.Minute)

	var exemplar query.Exemplar
	eventually(t, "an exemplar of the failing request", func() error {
		response, err := server.Client().Get(server.URL + "/orders")
		if err != nil {
			return err
		}
		response.Body.Close()
		found, err := p.Exemplars(t.Context(), `http_server_request_duration_seconds_bucket{http_route="/orders"}`, begin, time.Now())
		if err != nil || len(found) == 0 {
			return errors.Join(err, errors.New("no exemplar"))
		}
		exemplar = found[0]
		return nil
	})
	if exemplar.Series["job"] != "orders" || exemplar.Series["instance"] != "orders-1" || exemplar.Series["version"] != "v1" {
		t.Errorf("the exemplar's series: %v", exemplar.Series)
	}
	eventually(t, "the exemplar's trace", func() error {
		trace, err := j.Trace(t.Context(), exemplar.TraceID)
		if err != nil {
			return err
		}
		if root := trace.Spans[0]; root.Name != "GET /orders" || root.ID != exemplar.SpanID || !root.Failed ||
			root.Service != "orders" || root.Instance != "orders-1" || root.Kind != query.Server {
			t.Fatalf("the exemplar leads to %+v", root)
		}
		return nil
	})
	eventually(t, "the trace's log", func() error {
		found, err := l.QueryRange(t.Context(), query.TraceLogs(exemplar.TraceID), begin, time.Now(), 0)
		if err != nil || len(found) == 0 {
			return errors.Join(err, errors.New("no log"))
		}
		if found[0].Line != "no connection" || found[0].Labels["service_name"] != "orders" || found[0].Labels["span_id"] != exemplar.SpanID {
			t.Fatalf("the trace leads to %+v", found[0])
		}
		return nil
	})
	checkJaeger(t, j, begin)
	checkPrometheus(t, p, begin)
	checkLoki(t, l, begin)
}

func checkJaeger(t *testing.T, j *query.Jaeger, begin time.Time) {
	found, err := j.Search(t.Context(), query.Search{Service: "orders", Operation: "GET /orders", From: begin, To: time.Now(), Limit: 1})
	if err != nil || len(found) != 1 {
		t.Errorf("search: %+v, %v", found, err)
	}
	if none, err := j.Search(t.Context(), query.Search{Service: "nobody", From: begin, To: time.Now()}); err != nil || len(none) != 0 {
		t.Errorf("search for nobody: %+v, %v", none, err)
	}
	if _, err := j.Trace(t.Context(), strings.Repeat("ab", 16)); !errors.Is(err, query.ErrNoData) {
		t.Errorf("a trace that nobody made: %v", err)
	}
}

func checkPrometheus(t *testing.T, p *query.Prometheus, begin time.Time) {
	ctx := t.Context()
	if up, err := p.Value(ctx, `up{job="orders"}`, time.Time{}); err != nil || up != 1 {
		t.Errorf("up: %v, %v", up, err)
	}
	if _, err := p.Value(ctx, `up{job="nobody"}`, time.Time{}); !errors.Is(err, query.ErrNoData) {
		t.Errorf("up of nobody: %v", err)
	}
	if two, err := p.Value(ctx, `scalar(vector(2))`, time.Time{}); err != nil || two != 2 {
		t.Errorf("a scalar: %v, %v", two, err)
	}
	var refused *query.Error
	if _, err := p.Instant(ctx, `sum(`, time.Time{}); !errors.As(err, &refused) || refused.Status != http.StatusBadRequest ||
		!strings.Contains(err.Error(), "sum(") {
		t.Errorf("malformed PromQL: %v", err)
	}
	// Its steps begin a minute ago, and the last of them may be before the first scrape.
	eventually(t, "a range", func() error {
		series, err := p.Range(ctx, `up{job="orders"}`, begin, time.Now(), time.Second)
		if err == nil && (len(series) != 1 || len(series[0].Points) == 0) {
			err = fmt.Errorf("got %+v", series)
		}
		return err
	})
	eventually(t, "the alert", func() error {
		alerts, err := p.Alerts(ctx)
		if err != nil || len(alerts) == 0 {
			return errors.Join(err, errors.New("no alert"))
		}
		if a := alerts[0]; a.Labels["alertname"] != "Always" || a.State != "firing" || a.Value != 7 || a.Annotations["summary"] != "seven" {
			t.Fatalf("alert: %+v", a)
		}
		return nil
	})
	targets, err := p.Targets(ctx)
	if err != nil || len(targets) != 1 || !targets[0].Up || targets[0].Labels["instance"] != "orders-1" {
		t.Errorf("targets: %+v, %v", targets, err)
	}
}

func checkLoki(t *testing.T, l *query.Loki, begin time.Time) {
	if none, err := l.QueryRange(t.Context(), `{service_name="nobody"}`, begin, time.Now(), 0); err != nil || len(none) != 0 {
		t.Errorf("logs of nobody: %+v, %v", none, err)
	}
	var refused *query.Error
	if _, err := l.QueryRange(t.Context(), `{service_name=`, begin, time.Now(), 0); !errors.As(err, &refused) ||
		refused.Status != http.StatusBadRequest || !strings.Contains(refused.Body, "parse error") {
		t.Errorf("malformed LogQL: %v", err)
	}
}

// service fails every request, and lists itself for discovery.
func service(tel *telemetry.Telemetry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", tel.MetricsHandler())
	mux.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) {
		tel.Logger().ErrorContext(r.Context(), "no connection")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	outer := http.NewServeMux()
	outer.Handle("/", tel.Middleware(mux))
	outer.HandleFunc("/discovery", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode([]map[string]any{{
			"targets": []string{r.Host}, "labels": map[string]string{"job": "orders", "instance": "orders-1", "version": "v1"},
		}})
	})
	return outer
}

func alwaysFiring(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.rules.yml")
	rule := "groups:\n- name: g\n  rules:\n  - {alert: Always, expr: vector(7), annotations: {summary: seven}}\n"
	if err := os.WriteFile(path, []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func port(process stacktest.Process, index int) string { return strconv.Itoa(process.Ports[index]) }

// eventually asks until it is answered, with a bound that only a broken stack reaches.
func eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err = ask(); err == nil {
			return
		}
	}
	t.Fatalf("waited in vain for %s: %v", what, err)
}
