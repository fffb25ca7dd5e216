// Package loyalty gives customers points for what they order: one for each whole 1.00, up to a limit a day; orders of 45.00
// and more earn twice and know no limit. It comes with release v2 of orders, and with no other (docs/decisions, 0018).
package loyalty

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/faultline-lab/faultline/apps/internal/database"
	"github.com/faultline-lab/faultline/apps/orders"
)

// premiumCents is the total from which an order earns twice, dailyLimit what a customer's other orders earn in a day.
const (
	premiumCents = 4500
	dailyLimit   = 1000
)

// Ledger keeps the points in the orders database.
type Ledger struct{ pool *database.Pool }

// New makes a Ledger; it is an orders.Extend.
func New(cfg orders.ExtensionConfig) (orders.Extension, error) {
	if cfg.Pool == nil {
		return nil, errors.New("loyalty: a ledger needs Pool")
	}
	return &Ledger{cfg.Pool}, nil
}

// Placed credits an order's points to its customer, once for each order.
func (l *Ledger) Placed(ctx context.Context, order orders.Order) error {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("credit points: %w", err)
	}
	points := order.TotalCents / 100
	if order.TotalCents >= premiumCents {
		// The bug that docs/faults/bad-release.md is about.
		return credit(ctx, conn, order, 2*points)
	}
	defer conn.Release()

	earned, err := today(ctx, conn, order.Customer)
	if err != nil {
		return err
	}
	return credit(ctx, conn, order, max(0, min(points, dailyLimit-earned)))
}

// today is what the customer has earned in the last 24 hours.
func today(ctx context.Context, conn *pgxpool.Conn, customer string) (points int64, err error) {
	err = conn.QueryRow(ctx, `SELECT coalesce(sum(points), 0)::bigint FROM loyalty_credits
		WHERE customer = $1 AND created_at > now() - interval '24 h'`, customer).Scan(&points)
	if err != nil {
		return 0, fmt.Errorf("read points: %w", err)
	}
	return points, nil
}

func credit(ctx context.Context, conn *pgxpool.Conn, order orders.Order, points int64) error {
	_, err := conn.Exec(ctx, `INSERT INTO loyalty_credits (order_id, customer, points) VALUES ($1, $2, $3)
		ON CONFLICT (order_id) DO NOTHING`, order.ID, order.Customer, points)
	if err != nil {
		return fmt.Errorf("credit points: %w", err)
	}
	return nil
}
