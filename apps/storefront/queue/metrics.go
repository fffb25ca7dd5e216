package queue

import (
	"context"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"

	"github.com/faultline-lab/faultline/apps/internal/counts"
)

// outcome is what was done about an order in the queue.
type outcome string

const (
	accepted  outcome = "accepted"
	repeated  outcome = "repeated" // its key was known
	completed outcome = "completed"
	refused   outcome = "refused" // by orders, for good
	retried   outcome = "retried" // it did not work this time
)

func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return completed
	case final(err):
		return refused
	default:
		return retried
	}
}

func (q *Queue) measure(meters metric.MeterProvider) (err error) {
	meter := meters.Meter("github.com/faultline-lab/faultline/apps/storefront")
	q.outcomes, err = counts.New(meter, counts.Config[outcome]{
		Name: "storefront.queue.outcomes", Unit: "{order}", Help: "Orders in the queue of accepted ones, by what was done about them.",
		Label: "result", Values: []outcome{accepted, repeated, completed, refused, retried},
	})
	if err != nil {
		return err
	}
	waiting, err := meter.Int64ObservableGauge("storefront.queue.waiting_orders", metric.WithUnit("{order}"),
		metric.WithDescription("Accepted orders that are not completed yet."))
	if err != nil {
		return err
	}
	oldest, err := meter.Float64ObservableGauge("storefront.queue.oldest_age", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest of them; 0 when there is none."))
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		// A queue that cannot be counted has no length: unknown is not zero.
		backlog, err := q.Backlog(ctx)
		if err != nil {
			return err
		}
		o.ObserveInt64(waiting, int64(backlog.Waiting))
		o.ObserveFloat64(oldest, backlog.OldestAge.Seconds())
		return nil
	}, waiting, oldest)
	return err
}

// TraceparentOf is the W3C header of the context's span; empty when it has none.
func TraceparentOf(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

func withTraceparent(ctx context.Context, traceparent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
}
