package storefront

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const scope = "github.com/faultline-lab/faultline/apps/storefront"

// balancerMetrics are 0 from the start.
type balancerMetrics struct {
	backends  metric.Int64Gauge
	failovers metric.Int64Counter
}

// of is the label of a group.
func (balancerMetrics) of(group Group) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("group", string(group)))
}

func newBalancerMetrics(meters metric.MeterProvider) (m balancerMetrics, err error) {
	meter := meters.Meter(scope)
	m.backends, err = meter.Int64Gauge("storefront.backends", metric.WithUnit("{backend}"),
		metric.WithDescription("Replicas of orders that requests are spread over, by group."))
	if err != nil {
		return m, err
	}
	m.failovers, err = meter.Int64Counter("storefront.failovers", metric.WithUnit("{call}"),
		metric.WithDescription("Calls that moved on because a replica of orders could not be connected to."))
	if err != nil {
		return m, err
	}
	for _, group := range groups() {
		m.backends.Record(context.Background(), 0, m.of(group))
	}
	m.failovers.Add(context.Background(), 0)
	return m, nil
}

// apiMetrics are 0 from the start.
type apiMetrics struct{ shed metric.Int64Counter }

func newAPIMetrics(meters metric.MeterProvider) (m apiMetrics, err error) {
	m.shed, err = meters.Meter(scope).Int64Counter("storefront.shed_checkouts", metric.WithUnit("{checkout}"),
		metric.WithDescription("Checkouts that were turned away because no more were let through."))
	if err == nil {
		m.shed.Add(context.Background(), 0)
	}
	return m, err
}
