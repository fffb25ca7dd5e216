package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/counts"
)

// settleQuery ends one deferred payment. Two payers may have taken it, when a claim had lapsed meanwhile: only the one that
// removes the row changes the order and tells inventory.
const settleQuery = `WITH settled AS (DELETE FROM deferred_payments WHERE order_id = $1 RETURNING order_id),
		ended AS (UPDATE orders SET status = $2, authorization_id = nullif($3, '') FROM settled
			WHERE orders.id = settled.order_id RETURNING orders.reservation_id)
	INSERT INTO outbox (reservation_id, traceparent, action) SELECT reservation_id, $4, $5 FROM ended`

// Settle does it all in one round trip, as one implicit transaction.
func (p *Postgres) Settle(
	ctx context.Context, settled []Settlement, limit int, lease time.Duration,
) (payments []DeferredPayment, backlog Backlog, err error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, backlog, err
	}
	defer conn.Release()
	batch := &pgx.Batch{}
	for _, end := range settled {
		stock := commitStock
		if end.Status == Cancelled {
			stock = releaseStock
		}
		batch.Queue(settleQuery, end.OrderID, end.Status, end.AuthorizationID, end.Traceparent, stock)
	}
	batch.Queue(`SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8
			FROM (SELECT created_at FROM deferred_payments ORDER BY created_at LIMIT $1) AS waiting`, backlogLimit).
		QueryRow(func(row pgx.Row) error {
			var age float64
			err := row.Scan(&backlog.Pending, &age)
			backlog.OldestAge = time.Duration(max(age, 0) * float64(time.Second))
			return err
		})
	batch.Queue(`UPDATE deferred_payments AS due SET claimed_until = now() + $2::interval, attempts = attempts + 1
		FROM orders WHERE orders.id = due.order_id AND due.order_id IN (
			SELECT order_id FROM deferred_payments WHERE claimed_until < now()
			ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)
		RETURNING orders.id::text, orders.total_cents, orders.customer, due.idempotency_key, due.traceparent, due.attempts`, limit, lease).
		Query(func(rows pgx.Rows) (err error) {
			payments, err = pgx.CollectRows(rows, pgx.RowToStructByPos[DeferredPayment])
			return err
		})
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, backlog, fmt.Errorf("settle deferred payments: %w", err)
	}
	return payments, backlog, nil
}

// attempt is what came of asking for a deferred payment.
type attempt string

const (
	paymentTaken    attempt = "taken"
	paymentDeclined attempt = "declined"
	paymentRetried  attempt = "retried"
)

type payerMetrics struct {
	attempts *counts.Counter[attempt]
	*backlogGauges
}

func newPayerMetrics(meters metric.MeterProvider) (m payerMetrics, err error) {
	meter := meters.Meter(scope)
	m.attempts, err = counts.New(meter, counts.Config[attempt]{
		Name: "orders.deferred_payments.attempts", Unit: "{payment}", Help: "Deferred payments that were asked for, by what came of it.",
		Label: "result", Values: []attempt{paymentTaken, paymentDeclined, paymentRetried},
	})
	if err != nil {
		return m, err
	}
	m.backlogGauges, err = newBacklogGauges(meter, backlogNames{
		pending: "orders.deferred_payments.pending_payments", unit: "{payment}",
		pendingHelp: "Payments of placed orders that are still to be taken, as this replica last saw them; counted up to 1000.",
		age:         "orders.deferred_payments.oldest_age", ageHelp: "Age of the oldest of these payments; 0 when there is none.",
	})
	return m, err
}
