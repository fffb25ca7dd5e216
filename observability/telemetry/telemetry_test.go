package telemetry_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

// lines is an io.Writer that a test may read while a program writes.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func start(t *testing.T, cfg telemetry.Config) *telemetry.Telemetry {
	t.Helper()
	cfg.Service, cfg.Instance, cfg.Version = "orders", "orders-1", "v1"
	tel, err := telemetry.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Shutdown(context.Background()) })
	return tel
}

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	for name, cfg := range map[string]telemetry.Config{
		"a program without a name":     {Instance: "orders-1"},
		"a replica without a name":     {Service: "orders"},
		"a log format nobody writes":   {Service: "orders", Instance: "orders-1", LogFormat: "xml"},
		"a share of more than all":     {Service: "orders", Instance: "orders-1", SampleRatio: 1.5},
		"a share of less than nothing": {Service: "orders", Instance: "orders-1", SampleRatio: -1},
		"a negative patience":          {Service: "orders", Instance: "orders-1", SlowRequest: -1},
		"an address that is none":      {Service: "orders", Instance: "orders-1", TracesURL: "http://[::1"},
		"an address without a scheme":  {Service: "orders", Instance: "orders-1", TracesURL: "localhost:4318"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := telemetry.Start(t.Context(), cfg); err == nil {
				t.Errorf("Start(%+v) did not complain", cfg)
			}
		})
	}
}

func TestARecordCarriesItsTraceInTheLineAndOnTheWire(t *testing.T) {
	out, backend := &lines{}, newCollector(t)
	tel := start(t, telemetry.Config{LogWriter: out, LogsURL: backend.URL + "/otlp/v1/logs"})
	ctx, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "work")
	defer span.End()
	traceID, spanID := span.SpanContext().TraceID(), span.SpanContext().SpanID()

	tel.Logger().InfoContext(ctx, "plain", "sku", "SKU-0001")
	tel.Logger().With("a", 1).WithGroup("http").With("b", 2).InfoContext(ctx, "grouped", "status", 201)
	tel.Logger().InfoContext(t.Context(), "untraced")

	seen := map[string]map[string]any{}
	for line := range strings.Lines(out.String()) {
		record := map[string]any{}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		seen[record["msg"].(string)] = record
	}
	for _, message := range []string{"plain", "grouped"} {
		record := seen[message]
		if record["trace_id"] != traceID.String() || record["span_id"] != spanID.String() || record["service"] != "orders" {
			t.Errorf("line %q lacks the ids at its top level: %v", message, record)
		}
		sent := backend.record(t, message)
		if hex.EncodeToString(sent.TraceId) != traceID.String() || hex.EncodeToString(sent.SpanId) != spanID.String() {
			t.Errorf("record %q on the wire has trace %x, span %x", message, sent.TraceId, sent.SpanId)
		}
	}
	group, _ := seen["grouped"]["http"].(map[string]any)
	if seen["grouped"]["a"] != 1.0 || group["b"] != 2.0 || group["status"] != 201.0 {
		t.Errorf("attributes of a grouped record are not where they belong: %v", seen["grouped"])
	}
	if _, has := seen["untraced"]["trace_id"]; has {
		t.Errorf("a record without a trace has an id: %v", seen["untraced"])
	}
}

func TestTheLevelHoldsForLinesAndForTheWire(t *testing.T) {
	out, backend := &lines{}, newCollector(t)
	tel := start(t, telemetry.Config{
		LogWriter: out, LogFormat: "text", LogLevel: slog.LevelWarn, LogsURL: backend.URL + "/otlp/v1/logs",
	})
	tel.Logger().With("k", "v").WithGroup("g").Info("quiet")
	tel.Logger().Info("quiet")
	tel.Logger().Warn("loud")

	backend.record(t, "loud") // the records of one logger leave in order, so "quiet" would have come before
	backend.mu.Lock()
	defer backend.mu.Unlock()
	if len(backend.logs) != 1 || strings.Contains(out.String(), "quiet") || !strings.Contains(out.String(), "msg=loud") {
		t.Errorf("records on the wire: %d; lines: %s", len(backend.logs), out)
	}
}

func TestShutdownSendsWhatIsQueued(t *testing.T) {
	backend := newCollector(t)
	tel := start(t, telemetry.Config{TracesURL: backend.URL, LogsURL: backend.URL + "/otlp/v1/logs"})
	_, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "last words")
	span.End()
	tel.Logger().Info("last line")
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	backend.mu.Lock()
	defer backend.mu.Unlock()
	if len(backend.spans) != 1 || len(backend.logs) != 1 || backend.names[0] != "orders" {
		t.Errorf("after Shutdown: %d spans, %d records, from %v", len(backend.spans), len(backend.logs), backend.names)
	}
}

func TestADeadBackendIsMentionedOnceAndCountedAndSlowsNothing(t *testing.T) {
	for name, backend := range map[string]func(t *testing.T) string{
		"one that refuses connections": refusing,
		"one that never answers":       silent,
		"one that answers with errors": failing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, url := &lines{}, backend(t)
			tel := start(t, telemetry.Config{LogWriter: out, TracesURL: url, LogsURL: url + "/otlp/v1/logs"})

			began := time.Now()
			for range 20_000 { // several queues full
				ctx, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "work")
				tel.Logger().DebugContext(ctx, "never written") // below the level
				span.End()
			}
			tel.Logger().Error("a record")
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("spans and records waited for the backend: %s", took)
			}
			eventually(t, "lost spans and records to be counted", func() bool {
				page := scrape(t, tel, "")
				return lostMoreThanZero(page, "traces") && lostMoreThanZero(page, "logs")
			})
			ended := time.Now()
			_ = tel.Shutdown(t.Context()) // it may say that records are lost; what counts is that it ends
			if took := time.Since(ended); took > 10*time.Second {
				t.Errorf("Shutdown waited for the backend: %s", took)
			}
			if mentions := strings.Count(out.String(), "telemetry is not taken"); mentions != 2 {
				t.Errorf("%d mentions, want one for traces and one for logs:\n%s", mentions, out)
			}
		})
	}
}

func TestEveryRecordThatADeadBackendDoesNotTakeIsCounted(t *testing.T) {
	const records = 6000 // more than fit the queue
	for name, backend := range map[string]func(t *testing.T) string{"refusing": refusing, "failing": failing} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := backend(t)
			tel := start(t, telemetry.Config{TracesURL: url, LogsURL: url + "/otlp/v1/logs"})
			for range records {
				ctx, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "work")
				tel.Logger().InfoContext(ctx, "a record")
				span.End()
			}
			eventually(t, "every record to be counted, and none to be queued", func() bool {
				page := scrape(t, tel, "")
				for _, series := range []string{
					`telemetry_lost_records_total{signal="traces"} 6000`, `telemetry_lost_records_total{signal="logs"} 6000`,
					`telemetry_queued_records{signal="traces"} 0`, `telemetry_queued_records{signal="logs"} 0`,
				} {
					if !strings.Contains(page, series+"\n") {
						return false
					}
				}
				return true
			})
		})
	}
}

func TestTheQueuesAreOnThePageWhereThereAreNone(t *testing.T) {
	page := scrape(t, start(t, telemetry.Config{}), "")
	for _, signal := range []string{"traces", "logs"} {
		for _, series := range []string{"telemetry_queued_records", "telemetry_lost_records_total"} {
			if line := series + `{signal="` + signal + "\"} 0\n"; !strings.Contains(page, line) {
				t.Errorf("the page lacks %s", line)
			}
		}
	}
}

func lostMoreThanZero(page, signal string) bool {
	for line := range strings.Lines(page) {
		value, found := strings.CutPrefix(line, `telemetry_lost_records_total{signal="`+signal+`"} `)
		if found && strings.TrimSpace(value) != "0" {
			return true
		}
	}
	return false
}

func refusing(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

func silent(t *testing.T) string {
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	return server.URL
}

func failing(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "out of order", http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
