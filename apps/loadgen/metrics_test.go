package loadgen

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/apps/internal/metrictest"
)

// spanOf is a sampled span of the trace with that number.
func spanOf(n byte) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{n}, SpanID: trace.SpanID{n}, TraceFlags: trace.FlagsSampled,
	})
}

func newMetrics(t *testing.T) (*Metrics, metrictest.Page) {
	t.Helper()
	page := metrictest.New(t)
	metrics, err := NewMetrics(page.Registerer(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return metrics, page
}

func TestWhatHasNotHappenedYetIsZeroAndNotAbsent(t *testing.T) {
	_, page := newMetrics(t)
	want := map[string]float64{
		`loadgen_seconds_total{ok="true"}`: 0, `loadgen_seconds_total{ok="false"}`: 0, "loadgen_clock_steps_total": 0,
		`loadgen_browses_total{status="200"}`: 0, `loadgen_browses_total{status="no_answer"}`: 0,
		`loadgen_failed_checkouts_total{reason="unsent"}`: 0, `loadgen_failed_checkouts_total{reason="no_answer"}`: 0,
		`loadgen_failed_checkouts_total{reason="503"}`: 0, `loadgen_failed_checkouts_total{reason="504"}`: 0,
	}
	for _, outcome := range Outcomes() {
		want[fmt.Sprintf("loadgen_checkouts_total{outcome=%q}", outcome)] = 0
	}
	page.Expect(t, want)
}

func TestASlowCheckoutLeadsToItsTraceUnlessThatWasNotSampled(t *testing.T) {
	metrics, page := newMetrics(t)
	unsampled := spanOf(4).WithTraceFlags(0)
	metrics.CheckoutEnded(Answer{Status: 201, Latency: 700 * time.Millisecond, Span: spanOf(3)}, time.Millisecond)
	metrics.CheckoutEnded(Answer{Status: 201, Latency: 60 * time.Millisecond, Span: unsampled}, time.Millisecond)
	metrics.CheckoutEnded(Answer{Unsent: true}, time.Millisecond)
	text := page.Text(t)
	slow := `loadgen_checkout_latency_seconds_bucket{le="0.75"} 3 # {`
	exemplar := fmt.Sprintf(`trace_id=%q`, spanOf(3).TraceID().String())
	found := false
	for line := range strings.Lines(text) {
		found = found || strings.HasPrefix(line, slow) && strings.Contains(line, exemplar)
	}
	if !found || strings.Contains(text, unsampled.TraceID().String()) {
		t.Errorf("want an exemplar of the slow checkout, and none of the one that was not sampled:\n%s", text)
	}
}

func TestAServerThatInventsStatusesMakesNoNewSeries(t *testing.T) {
	metrics, page := newMetrics(t)
	before := strings.Count(page.Text(t), "\n")
	for status := 600; status < 900; status++ {
		metrics.CheckoutEnded(Answer{Status: status}, 0)
		metrics.BrowseEnded(status)
	}
	page.Expect(t, map[string]float64{
		`loadgen_failed_checkouts_total{reason="other"}`: 300, `loadgen_browses_total{status="other"}`: 300,
	})
	if grown := strings.Count(page.Text(t), "\n") - before; grown > 10 {
		t.Errorf("the page has grown by %d lines", grown)
	}
}
