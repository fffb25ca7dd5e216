package orders

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/counts"
)

const scope = "github.com/faultline-lab/faultline/apps/orders"

// outcome is what came of asking for an order; each request has exactly one.
type outcome string

const (
	confirmed   outcome = "confirmed"
	deferred    outcome = "deferred"    // placed, and its payment follows
	repeated    outcome = "repeated"    // the key had its order already
	refused     outcome = "refused"     // the customer must change something
	unavailable outcome = "unavailable" // no connection in time, or a service that cannot be reached
	timedOut    outcome = "timeout"
	failed      outcome = "failed" // what nobody foresaw
)

func outcomeOf(first bool, order Order, err error) outcome {
	if err == nil && first && order.Status == PaymentPending {
		return deferred
	}
	if err == nil && first {
		return confirmed
	}
	if err == nil {
		return repeated
	}
	switch code := apierror.From(err).Code; {
	case code.Status() < http.StatusInternalServerError:
		return refused
	case code == apierror.Unavailable:
		return unavailable
	case code == apierror.Timeout:
		return timedOut
	default:
		return failed
	}
}

// keyResult is what was found out about an Idempotency-Key. A request that fails before it gets that far has none.
type keyResult string

const (
	keyNew      keyResult = "new"
	keyRepeated keyResult = "repeated" // the same request again
	keyConflict keyResult = "conflict" // another request under the same key
)

type placementMetrics struct {
	outcomes *counts.Counter[outcome]
	keys     *counts.Counter[keyResult]
}

func newPlacementMetrics(meters metric.MeterProvider) (m placementMetrics, err error) {
	meter := meters.Meter(scope)
	m.outcomes, err = counts.New(meter, counts.Config[outcome]{
		Name: "orders.placements", Unit: "{order}", Help: "Orders that were asked for, by what came of it.",
		Label: "outcome", Values: []outcome{confirmed, deferred, repeated, refused, unavailable, timedOut, failed},
	})
	if err != nil {
		return m, err
	}
	m.keys, err = counts.New(meter, counts.Config[keyResult]{
		Name: "orders.idempotency_keys", Unit: "{key}", Help: "Idempotency keys that were looked up, by what was found.",
		Label: "result", Values: []keyResult{keyNew, keyRepeated, keyConflict},
	})
	return m, err
}

// placed counts one request; first says that its key was new.
func (m placementMetrics) placed(ctx context.Context, first bool, order Order, err error) {
	m.outcomes.Add(ctx, outcomeOf(first, order, err), 1)
	switch {
	case first:
		m.keys.Add(ctx, keyNew, 1)
	case err == nil:
		m.keys.Add(ctx, keyRepeated, 1)
	case errors.Is(err, ErrKeyConflict):
		m.keys.Add(ctx, keyConflict, 1)
	}
}

// delivery is what came of telling inventory about one message.
type delivery string

const (
	delivered       delivery = "delivered"
	refusedDelivery delivery = "refused" // for good; a person must look at it
	retried         delivery = "retried" // not taken this time; its claim lapses and it is given out again
)

func deliveryOf(err error) delivery {
	switch {
	case err == nil:
		return delivered
	case final(err):
		return refusedDelivery
	default:
		return retried
	}
}

type relayMetrics struct {
	deliveries *counts.Counter[delivery]
	*backlogGauges
}

func newRelayMetrics(meters metric.MeterProvider) (m relayMetrics, err error) {
	meter := meters.Meter(scope)
	m.deliveries, err = counts.New(meter, counts.Config[delivery]{
		Name: "orders.outbox.deliveries", Unit: "{message}", Help: "Messages of the outbox that inventory was sent, by what came of it.",
		Label: "result", Values: []delivery{delivered, refusedDelivery, retried},
	})
	if err != nil {
		return m, err
	}
	m.backlogGauges, err = newBacklogGauges(meter, backlogNames{
		pending: "orders.outbox.pending_messages", unit: "{message}",
		pendingHelp: "Messages in the outbox that inventory has not confirmed, as this replica last saw them; counted up to 1000.",
		age:         "orders.outbox.oldest_age", ageHelp: "Age of the oldest of these messages; 0 when there is none.",
	})
	return m, err
}
