package runner

import (
	"context"
	"time"

	"github.com/faultline-lab/faultline/observability/query"
)

// metrics asks Prometheus for values at this moment.
type metrics struct{ prometheus *query.Prometheus }

func newMetrics(baseURL string) (metrics, error) {
	prometheus, err := query.NewPrometheus(query.Config{URL: baseURL})
	return metrics{prometheus}, err
}

// Values gives one value per series of an instant query; none is no error here.
func (m metrics) Values(ctx context.Context, promql string) ([]float64, error) {
	samples, err := m.prometheus.Instant(ctx, promql, time.Now())
	values := make([]float64, len(samples))
	for i, sample := range samples {
		values[i] = sample.Value
	}
	return values, err
}
