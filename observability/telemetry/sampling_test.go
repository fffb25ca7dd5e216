package telemetry_test

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

func TestAtTheEdgeTheRatioDecidesAndBehindItTheCaller(t *testing.T) {
	tel := start(t, telemetry.Config{SampleRatio: 0.1})
	begin := func(flags trace.TraceFlags, remote bool) bool {
		ctx := t.Context()
		if remote {
			ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
				TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: flags, Remote: true,
			}))
		}
		ctx, root := tel.TracerProvider().Tracer("test").Start(ctx, "work")
		_, child := tel.TracerProvider().Tracer("test").Start(ctx, "part of it")
		defer root.End()
		defer child.End()
		if root.SpanContext().IsSampled() != child.SpanContext().IsSampled() {
			t.Fatal("a trace was torn apart: its child is not treated as its root")
		}
		return root.SpanContext().IsSampled()
	}
	const traces = 4000
	kept := 0
	for range traces {
		if begin(0, false) {
			kept++
		}
		if !begin(trace.FlagsSampled, true) || begin(0, true) {
			t.Fatal("the ratio overruled a caller")
		}
	}
	// 400 are expected, with a standard deviation of 19.
	if kept < 250 || kept > 550 {
		t.Errorf("%d of %d traces were kept at a ratio of 0.1", kept, traces)
	}
}

// A trace that is not kept can still be followed through the logs; but nothing may link to it, as the link would be dead.
func TestATraceThatIsNotKeptIsInTheLogsAndNowhereElse(t *testing.T) {
	const kept, dropped = "0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319c"
	out, backend := &lines{}, newCollector(t)
	tel := start(t, telemetry.Config{LogWriter: out, TracesURL: backend.URL, LogsURL: backend.URL + "/otlp/v1/logs"})
	observed := newHistogram(t, tel)
	server := httptest.NewServer(tel.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		telemetry.ObserveWithTrace(r.Context(), observed, 0.2)
		tel.Logger().InfoContext(r.Context(), "served")
	})))
	defer server.Close()
	// The one that is dropped comes last: an exemplar gives way to the next one in its bucket.
	for _, parent := range []string{"00-" + kept + "-b7ad6b7169203331-01", "00-" + dropped + "-b7ad6b7169203331-00"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Traceparent", parent)
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	sent := func() map[string]int { // records by their trace
		backend.mu.Lock()
		defer backend.mu.Unlock()
		ids := map[string]int{}
		for _, record := range backend.logs {
			ids[hex.EncodeToString(record.TraceId)]++
		}
		return ids
	}
	eventually(t, "both records", func() bool { return sent()[kept] == 1 && sent()[dropped] == 1 })
	for _, id := range []string{kept, dropped} {
		if !strings.Contains(out.String(), `"trace_id":"`+id+`"`) {
			t.Errorf("the line of %s lacks its trace", id)
		}
	}
	page := scrape(t, tel, openMetrics)
	if strings.Contains(page, dropped) {
		t.Errorf("an exemplar leads to a trace that nobody has:\n%s", page)
	}
	for _, series := range []string{"http_server_request_duration_seconds_bucket", "test_duration_seconds_bucket"} {
		found := false
		for line := range strings.Lines(page) {
			found = found || strings.HasPrefix(line, series) && strings.Contains(line, `trace_id="`+kept+`"`)
		}
		if !found {
			t.Errorf("%s has no exemplar of the trace that was kept:\n%s", series, page)
		}
	}
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	backend.mu.Lock()
	defer backend.mu.Unlock()
	if len(backend.spans) != 1 || hex.EncodeToString(backend.spans[0].TraceId) != kept {
		t.Errorf("spans sent: %v", backend.spans)
	}
}
