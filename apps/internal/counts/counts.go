// Package counts makes counters whose label has values that are known beforehand. Each value is exported as 0 from the
// start, so that rate() misses no first jump, and no label grows.
package counts

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// other is the label of a value that was not known beforehand, as in OpenTelemetry's conventions. No program has one.
const other = "_OTHER"

// Config describes a counter; every field is required.
type Config[V ~string] struct {
	// Name and Unit are OpenTelemetry's; Prometheus sees orders.placements as orders_placements_total.
	Name, Unit, Help string
	Label            string
	Values           []V
}

// Counter counts events by one label.
type Counter[V ~string] struct {
	events metric.Int64Counter
	// The options are made once: a set of attributes for each event would cost more than the counting.
	by    map[V][]metric.AddOption
	other []metric.AddOption
}

// New makes a counter on the meter.
func New[V ~string](meter metric.Meter, cfg Config[V]) (*Counter[V], error) {
	events, err := meter.Int64Counter(cfg.Name, metric.WithUnit(cfg.Unit), metric.WithDescription(cfg.Help))
	if err != nil {
		return nil, fmt.Errorf("counter %s: %w", cfg.Name, err)
	}
	label := func(value string) []metric.AddOption {
		return []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String(cfg.Label, value)))}
	}
	c := &Counter[V]{events: events, by: map[V][]metric.AddOption{}, other: label(other)}
	for _, value := range cfg.Values {
		c.by[value] = label(string(value))
		c.Add(context.Background(), value, 0)
	}
	return c, nil
}

// Add counts n events. The context's span becomes the exemplar.
func (c *Counter[V]) Add(ctx context.Context, value V, n int64) {
	options, known := c.by[value]
	if !known {
		options = c.other
	}
	c.events.Add(ctx, n, options...)
}
