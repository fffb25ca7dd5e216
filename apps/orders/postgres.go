package orders

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/database"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations is the schema of the orders database.
func Migrations() (fs.FS, error) { return fs.Sub(migrationFiles, "migrations") }

// Postgres is the Store in a database.
type Postgres struct{ pool *database.Pool }

// NewPostgres makes a store on the pool of the orders database.
func NewPostgres(pool *database.Pool) *Postgres { return &Postgres{pool: pool} }

// Place borrows one connection for the whole of the order, fulfil included.
func (p *Postgres) Place(
	ctx context.Context, request Request, fulfil func(context.Context, *Order) error,
) (Order, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return Order{}, err
	}
	var discount coupon
	if request.Coupon != "" {
		discount, err = findCoupon(ctx, conn, request.Coupon)
		if err != nil {
			conn.Release()
			return Order{}, err
		}
		if discount.expired {
			// The bug that docs/faults/connection-leak.md is about.
			return Order{}, apierror.New(apierror.Unprocessable, "coupon %s has expired; order without it", request.Coupon)
		}
	}
	defer conn.Release()

	tx, err := conn.Begin(ctx)
	if err != nil {
		return Order{}, fmt.Errorf("begin: %w", err)
	}
	order, err := placeIn(ctx, tx, request, discount, fulfil)
	if err != nil {
		return Order{}, errors.Join(err, database.Rollback(ctx, tx))
	}
	if err := commit(ctx, tx); err != nil {
		return Order{}, err
	}
	return order, nil
}

type coupon struct {
	percentOff int
	expired    bool
}

func findCoupon(ctx context.Context, conn *pgxpool.Conn, code string) (coupon, error) {
	var found coupon
	err := conn.QueryRow(ctx, `SELECT percent_off, expires_at <= now() FROM coupons WHERE code = $1`, code).
		Scan(&found.percentOff, &found.expired)
	if errors.Is(err, pgx.ErrNoRows) {
		return found, apierror.New(apierror.Unprocessable, "there is no coupon %q; order without it", code)
	}
	if err != nil {
		return found, fmt.Errorf("find coupon: %w", err)
	}
	return found, nil
}

func placeIn(
	ctx context.Context, tx pgx.Tx, request Request, discount coupon, fulfil func(context.Context, *Order) error,
) (Order, error) {
	order := Order{
		ID: request.orderID(), Status: Confirmed, Customer: request.Customer, Items: request.Items,
		Coupon: request.Coupon, PercentOff: discount.percentOff,
	}
	first, err := claim(ctx, tx, request, &order)
	if err != nil {
		return Order{}, err
	}
	if !first {
		return known(ctx, tx, request)
	}
	if err := fulfil(ctx, &order); err != nil {
		return Order{}, err
	}
	return order, confirm(ctx, tx, request, order)
}

// claim writes the key's row and the order's, in one round trip. When another transaction is about to write the same
// ones, it waits for that one's end: false if it committed, true if it rolled back.
func claim(ctx context.Context, tx pgx.Tx, request Request, order *Order) (first bool, err error) {
	items, err := json.Marshal(order.Items)
	if err != nil {
		return false, fmt.Errorf("encode items: %w", err)
	}
	batch := &pgx.Batch{}
	batch.Queue(`INSERT INTO idempotency_keys (key, fingerprint, order_id) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO NOTHING`, request.IdempotencyKey, request.fingerprint(), order.ID)
	// The id follows from the key: where the key is taken, the order is there.
	batch.Queue(`INSERT INTO orders (id, customer, items, coupon, status)
		VALUES ($1, $2, $3, $4, 'pending') ON CONFLICT (id) DO NOTHING RETURNING created_at`,
		order.ID, order.Customer, items, order.Coupon)
	results := tx.SendBatch(ctx, batch)
	defer func() {
		if closed := results.Close(); err == nil {
			err = closed // after an error it is the same one again
		}
	}()
	tag, err := results.Exec()
	if err != nil {
		return false, fmt.Errorf("claim idempotency key: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	if err := results.QueryRow().Scan(&order.CreatedAt); err != nil {
		return false, fmt.Errorf("insert order: %w", err)
	}
	return true, nil
}

// known gives the order that the key has already.
func known(ctx context.Context, tx pgx.Tx, request Request) (Order, error) {
	var fingerprint []byte
	var orderID string
	err := tx.QueryRow(ctx, `SELECT fingerprint, order_id::text FROM idempotency_keys WHERE key = $1`, request.IdempotencyKey).
		Scan(&fingerprint, &orderID)
	if err != nil {
		return Order{}, fmt.Errorf("read idempotency key: %w", err)
	}
	if !bytes.Equal(fingerprint, request.fingerprint()) {
		return Order{}, ErrKeyConflict
	}
	return selectOrder(ctx, tx, orderID)
}

// confirm writes the order down, and what is still to be done: inventory has to be told, or the payment to be taken first.
func confirm(ctx context.Context, tx pgx.Tx, request Request, order Order) error {
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE orders SET status = $2, total_cents = $3, reservation_id = $4, authorization_id = nullif($5, '')
		WHERE id = $1`, order.ID, order.Status, order.TotalCents, order.ReservationID, order.AuthorizationID)
	if order.Status == PaymentPending {
		batch.Queue(`INSERT INTO deferred_payments (order_id, idempotency_key, traceparent) VALUES ($1, $2, $3)`,
			order.ID, request.IdempotencyKey, traceparentOf(ctx))
	} else {
		batch.Queue(`INSERT INTO outbox (reservation_id, traceparent) VALUES ($1, $2)`, order.ReservationID, traceparentOf(ctx))
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("confirm order: %w", err)
	}
	return nil
}

// commit tells a commit that surely failed from one of which nobody knows: only the former may be compensated. A FATAL
// (the backend was ended) can come after the commit was made.
func commit(ctx context.Context, tx pgx.Tx) error {
	if err := ctx.Err(); err != nil {
		return errors.Join(fmt.Errorf("commit: %w", err), database.Rollback(ctx, tx))
	}
	err := tx.Commit(ctx)
	var answer *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer) && answer.SeverityUnlocalized != "FATAL",
		errors.Is(err, pgx.ErrTxCommitRollback), pgconn.SafeToRetry(err):
		return fmt.Errorf("commit: %w", err)
	default:
		return fmt.Errorf("commit: %w: %w", ErrOutcomeUnknown, err)
	}
}

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Find reads one order.
func (p *Postgres) Find(ctx context.Context, id string) (Order, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return Order{}, err
	}
	defer conn.Release()
	return selectOrder(ctx, conn, id)
}

func selectOrder(ctx context.Context, q querier, id string) (Order, error) {
	var order Order
	var items []byte
	err := q.QueryRow(ctx, `SELECT id::text, status, total_cents, customer, items, coupon, created_at, reservation_id::text,
		coalesce(authorization_id, '') FROM orders WHERE id = $1`, id).
		Scan(&order.ID, &order.Status, &order.TotalCents, &order.Customer, &items, &order.Coupon, &order.CreatedAt,
			&order.ReservationID, &order.AuthorizationID)
	if errors.Is(err, pgx.ErrNoRows) {
		return Order{}, apierror.New(apierror.NotFound, "there is no order %s", id)
	}
	if err != nil {
		return Order{}, fmt.Errorf("read order: %w", err)
	}
	if err := json.Unmarshal(items, &order.Items); err != nil {
		return Order{}, fmt.Errorf("read order %s: items: %w", id, err)
	}
	order.CreatedAt = order.CreatedAt.UTC()
	return order, nil
}
