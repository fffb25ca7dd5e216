package storefront

import (
	"context"

	"go.opentelemetry.io/otel/metric"
)

// balancerMetrics are 0 from the start.
type balancerMetrics struct {
	backends  metric.Int64Gauge
	failovers metric.Int64Counter
}

func newBalancerMetrics(meters metric.MeterProvider) (m balancerMetrics, err error) {
	meter := meters.Meter("github.com/faultline-lab/faultline/apps/storefront")
	m.backends, err = meter.Int64Gauge("storefront.backends", metric.WithUnit("{backend}"),
		metric.WithDescription("Replicas of orders that requests are spread over."))
	if err != nil {
		return m, err
	}
	m.failovers, err = meter.Int64Counter("storefront.failovers", metric.WithUnit("{call}"),
		metric.WithDescription("Calls that moved on because a replica of orders could not be connected to."))
	if err != nil {
		return m, err
	}
	m.backends.Record(context.Background(), 0)
	m.failovers.Add(context.Background(), 0)
	return m, nil
}
