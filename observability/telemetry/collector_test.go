package telemetry_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes OTLP over HTTP as Jaeger and Loki do, and keeps what came.
type collector struct {
	*httptest.Server

	mu    sync.Mutex
	spans []*spans.Span
	logs  []*logs.LogRecord
	names []string // service.name of each batch
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, r *http.Request) {
		var request collectortrace.ExportTraceServiceRequest
		decode(t, w, r, &request)
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, resource := range request.ResourceSpans {
			for _, attribute := range resource.Resource.Attributes {
				if attribute.Key == "service.name" {
					c.names = append(c.names, attribute.Value.GetStringValue())
				}
			}
			for _, scope := range resource.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	})
	mux.HandleFunc("POST /otlp/v1/logs", func(w http.ResponseWriter, r *http.Request) {
		var request collectorlogs.ExportLogsServiceRequest
		decode(t, w, r, &request)
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, resource := range request.ResourceLogs {
			for _, scope := range resource.ScopeLogs {
				c.logs = append(c.logs, scope.LogRecords...)
			}
		}
	})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

func decode(t *testing.T, w http.ResponseWriter, r *http.Request, into proto.Message) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = proto.Unmarshal(body, into)
	}
	if err != nil {
		t.Errorf("OTLP request to %s: %v", r.URL, err)
		w.WriteHeader(http.StatusBadRequest)
	}
}

func (c *collector) span(t *testing.T, name string) *spans.Span {
	t.Helper()
	var found *spans.Span
	eventually(t, "a span called "+name, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, span := range c.spans {
			if span.Name == name {
				found = span
			}
		}
		return found != nil
	})
	return found
}

func (c *collector) record(t *testing.T, body string) *logs.LogRecord {
	t.Helper()
	var found *logs.LogRecord
	eventually(t, "a log record saying "+body, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, record := range c.logs {
			if record.Body.GetStringValue() == body {
				found = record
			}
		}
		return found != nil
	})
	return found
}

// eventually waits for a condition, with a bound that only a broken program reaches.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}
