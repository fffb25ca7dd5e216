package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/propagation"
)

// backlogLimit bounds what is read to say how much waits: during a long outage of inventory, counting all of it again
// and again would cost more than the number is worth. The oldest is exact, because the ids are in the order of arrival.
const backlogLimit = 1000

// Exchange does it all in one round trip, as one implicit transaction.
func (p *Postgres) Exchange(
	ctx context.Context, report Report, limit int, lease time.Duration,
) (messages []Message, backlog Backlog, err error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, backlog, err
	}
	defer conn.Release()
	batch := &pgx.Batch{}
	if len(report.Delivered) > 0 {
		batch.Queue(`DELETE FROM outbox WHERE id = ANY($1)`, report.Delivered)
	}
	for _, refusal := range report.Refused {
		batch.Queue(`UPDATE outbox SET failed_at = now(), last_error = $2 WHERE id = $1`, refusal.ID, refusal.Reason)
	}
	batch.Queue(`SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8
			FROM (SELECT created_at FROM outbox WHERE failed_at IS NULL ORDER BY id LIMIT $1) AS waiting`, backlogLimit).
		QueryRow(func(row pgx.Row) error {
			var age float64
			err := row.Scan(&backlog.Pending, &age)
			// An order that began after this transaction may have committed before it looked.
			backlog.OldestAge = time.Duration(max(age, 0) * float64(time.Second))
			return err
		})
	batch.Queue(`UPDATE outbox SET claimed_until = now() + $2::interval, attempts = attempts + 1 WHERE id IN (
			SELECT id FROM outbox WHERE failed_at IS NULL AND claimed_until < now()
			ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
		RETURNING id, reservation_id::text, traceparent, attempts, action`, limit, lease).
		Query(func(rows pgx.Rows) (err error) {
			messages, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Message])
			return err
		})
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, backlog, fmt.Errorf("exchange with the outbox: %w", err)
	}
	return messages, backlog, nil
}

// traceparentOf is the W3C header of the context's span; empty when it has none.
func traceparentOf(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}

func withTraceparent(ctx context.Context, traceparent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
}
