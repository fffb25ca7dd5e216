package runner_test

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collectorlogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// backend takes OTLP over HTTP as Jaeger and Loki do, and keeps what came.
type backend struct {
	*httptest.Server

	mu      sync.Mutex
	spans   []span
	records []record
	who     []string // service.name/service.instance.id of each batch
}

type span struct {
	name, trace, id, parent string
	fields                  map[string]string
}

type record struct {
	message, trace, span string
	fields               map[string]string
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(_ http.ResponseWriter, r *http.Request) {
		var request collectortrace.ExportTraceServiceRequest
		decode(t, r, &request)
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, resource := range request.ResourceSpans {
			b.who = append(b.who, origin(resource.Resource.Attributes))
			for _, scope := range resource.ScopeSpans {
				for _, s := range scope.Spans {
					b.spans = append(b.spans, span{
						s.Name, hex.EncodeToString(s.TraceId), hex.EncodeToString(s.SpanId), hex.EncodeToString(s.ParentSpanId), texts(s.Attributes),
					})
				}
			}
		}
	})
	mux.HandleFunc("POST /otlp/v1/logs", func(_ http.ResponseWriter, r *http.Request) {
		var request collectorlogs.ExportLogsServiceRequest
		decode(t, r, &request)
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, resource := range request.ResourceLogs {
			b.who = append(b.who, origin(resource.Resource.Attributes))
			for _, scope := range resource.ScopeLogs {
				for _, l := range scope.LogRecords {
					b.records = append(b.records, record{
						l.Body.GetStringValue(), hex.EncodeToString(l.TraceId), hex.EncodeToString(l.SpanId), texts(l.Attributes),
					})
				}
			}
		}
	})
	b.Server = httptest.NewServer(mux)
	t.Cleanup(b.Close)
	return b
}

func decode(t *testing.T, r *http.Request, into proto.Message) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = proto.Unmarshal(body, into)
	}
	if err != nil {
		t.Errorf("OTLP request to %s: %v", r.URL, err)
	}
}

func texts(attributes []*common.KeyValue) map[string]string {
	found := map[string]string{}
	for _, attribute := range attributes {
		found[attribute.Key] = attribute.Value.GetStringValue()
	}
	return found
}

func origin(attributes []*common.KeyValue) string {
	found := texts(attributes)
	return found["service.name"] + "/" + found["service.instance.id"]
}

// named gives the spans of a name.
func (b *backend) named(name string) []span {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []span
	for _, s := range b.spans {
		if s.name == name {
			found = append(found, s)
		}
	}
	return found
}
