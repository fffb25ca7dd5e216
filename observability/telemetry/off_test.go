package telemetry_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

func TestWithTelemetryOffNothingIsWrappedMadeOrSentButTheLines(t *testing.T) {
	out, backend := &lines{}, newCollector(t)
	tel := start(t, telemetry.Config{
		Off: true, LogWriter: out, TracesURL: backend.URL, LogsURL: backend.URL + "/otlp/v1/logs",
	})
	if tel.Enabled() {
		t.Error("it says it is on")
	}
	handler, base := http.Handler(router()), &http.Transport{}
	if tel.Middleware(handler) != handler || tel.Transport(base) != http.RoundTripper(base) || tel.Transport(nil) != http.DefaultTransport {
		t.Error("a handler or a client was wrapped")
	}
	ctx, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "work")
	tel.Logger().InfoContext(ctx, "a line")
	span.End()
	counter, err := tel.MeterProvider().Meter("test").Int64Counter("orders.placements")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(ctx, 1)
	newHistogram(t, tel).Observe(1)
	if page := scrape(t, tel, ""); strings.TrimSpace(page) != "" {
		t.Errorf("the page is not empty:\n%s", page)
	}
	if span.IsRecording() || !strings.Contains(out.String(), "a line") {
		t.Errorf("recording: %v, lines: %s", span.IsRecording(), out)
	}
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	backend.mu.Lock()
	defer backend.mu.Unlock()
	if len(backend.spans) != 0 || len(backend.logs) != 0 {
		t.Errorf("%d spans and %d records were sent", len(backend.spans), len(backend.logs))
	}
}

func TestTelemetryIsOnUnlessItIsTurnedOff(t *testing.T) {
	if !start(t, telemetry.Config{}).Enabled() {
		t.Error("it says it is off")
	}
}
