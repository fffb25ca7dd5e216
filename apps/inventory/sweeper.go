package inventory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/apps/internal/service"
)

// sweepBatch bounds how many reservations expire in one transaction, which holds locks on their products.
const sweepBatch = 50

// sweepBound is how long one such transaction may take; it is a few milliseconds of work.
const sweepBound = time.Second

// Expirer ends reservations whose time is over.
type Expirer interface {
	// Expire gives the stock of at most limit reservations back and says how many there were.
	Expire(ctx context.Context, limit int) (int, error)
}

// Sweeper expires what nobody committed or released: the order died, or its release did not arrive.
type Sweeper struct {
	Expirer Expirer
	Log     *slog.Logger
	Tick    time.Duration
}

// Run sweeps once a tick until ctx ends, and returns nil then.
func (s Sweeper) Run(ctx context.Context) error {
	if s.Expirer == nil || s.Log == nil || s.Tick <= 0 {
		return errors.New("inventory: a sweeper needs Expirer, Log and a positive Tick")
	}
	ticker := time.NewTicker(s.Tick)
	defer ticker.Stop()
	for {
		s.sweep(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (s Sweeper) sweep(ctx context.Context) {
	for ctx.Err() == nil {
		// A sweep that waits for somebody's lock must not keep its own locks, nor its connection.
		sweeping, cancel := context.WithTimeout(service.Untraced(ctx), sweepBound)
		count, err := s.Expirer.Expire(sweeping, sweepBatch)
		cancel()
		if err != nil {
			if ctx.Err() == nil {
				s.Log.WarnContext(ctx, "reservations not swept; trying again next tick", "error", err)
			}
			return
		}
		if count > 0 {
			s.Log.InfoContext(ctx, "reservations expired", "reservations", count)
		}
		if count < sweepBatch {
			return
		}
	}
}

// Expire leaves alone what another replica, a commit or a release is busy with.
func (p *Postgres) Expire(ctx context.Context, limit int) (int, error) {
	var ids []string
	err := p.inTransaction(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id FROM reservations WHERE status = 'reserved' AND expires_at <= now()
			ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED`, limit)
		if err != nil {
			return fmt.Errorf("find expired reservations: %w", err)
		}
		if ids, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return fmt.Errorf("find expired reservations: %w", err)
		}
		if len(ids) == 0 {
			return nil
		}
		return expireAll(ctx, tx, ids)
	})
	if err != nil {
		return 0, err
	}
	p.reservations.Add(ctx, expired, int64(len(ids)))
	return len(ids), nil
}

func expireAll(ctx context.Context, tx pgx.Tx, ids []string) error {
	rows, err := tx.Query(ctx, `SELECT sku, quantity FROM reservation_items WHERE reservation_id = ANY($1)`, ids)
	if err != nil {
		return fmt.Errorf("read expired items: %w", err)
	}
	items, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Item])
	if err != nil {
		return fmt.Errorf("read expired items: %w", err)
	}
	if err := giveBack(ctx, tx, inLockOrder(items)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE reservations SET status = $2, ended_at = now() WHERE id = ANY($1)`, ids, Expired)
	if err != nil {
		return fmt.Errorf("expire reservations: %w", err)
	}
	return nil
}
