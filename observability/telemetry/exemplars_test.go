package telemetry_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

func newHistogram(t *testing.T, tel *telemetry.Telemetry) prometheus.Histogram {
	t.Helper()
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "test_duration_seconds", Help: "A duration.", Buckets: telemetry.Buckets(),
	})
	tel.Registerer().MustRegister(histogram)
	return histogram
}

func TestAnObserverWithoutExemplarsIsObservedAllTheSame(t *testing.T) {
	tel := start(t, telemetry.Config{})
	ctx, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "work")
	defer span.End()
	seen := 0.0
	telemetry.ObserveWithTrace(ctx, prometheus.ObserverFunc(func(value float64) { seen = value }), 0.3)
	if seen != 0.3 {
		t.Errorf("observed %v", seen)
	}
}
