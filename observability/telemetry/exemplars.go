package telemetry

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// ObserveWithTrace makes an observation of a client_golang histogram; the trace of the context becomes its exemplar, when
// it is sampled. OpenTelemetry's instruments do that by themselves, with the same labels.
func ObserveWithTrace(ctx context.Context, histogram prometheus.Observer, value float64) {
	span := trace.SpanContextFromContext(ctx)
	withExemplar, ok := histogram.(prometheus.ExemplarObserver)
	if !ok || !span.IsSampled() || !span.IsValid() {
		histogram.Observe(value)
		return
	}
	withExemplar.ObserveWithExemplar(value, prometheus.Labels{
		"trace_id": span.TraceID().String(), "span_id": span.SpanID().String(),
	})
}
