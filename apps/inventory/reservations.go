package inventory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
)

// Every transaction here locks the reservation first and its products afterwards, in SKU order.

// Reserve takes the items out of stock, once for each id: a repeated request gets the first one's answer. It fails
// with unprocessable when a product is unknown or out of stock, and with conflict when the id stands for other items
// or has ended.
func (p *Postgres) Reserve(ctx context.Context, wanted Reservation) (Reservation, error) {
	made, did, err := p.reserve(ctx, wanted)
	if err == nil || apierror.From(err).Code.Status() < http.StatusInternalServerError {
		p.reservations.Add(ctx, did, 1)
	}
	return made, err
}

func (p *Postgres) reserve(ctx context.Context, wanted Reservation) (made Reservation, did result, err error) {
	did = refused
	if err := wanted.validate(); err != nil {
		return made, did, err
	}
	id, items := wanted.ID, inLockOrder(wanted.Items)
	err = p.inTransaction(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO reservations (id, status, expires_at)
			VALUES ($1, $2, now() + $3::interval) ON CONFLICT (id) DO NOTHING`, id, Reserved, p.ttl)
		if err != nil {
			return fmt.Errorf("insert reservation: %w", err)
		}
		if tag.RowsAffected() == 0 {
			if made, err = known(ctx, tx, id, items); err == nil {
				did = repeated
			}
			return err
		}
		total, err := take(ctx, tx, items)
		if err != nil {
			return err
		}
		made, did = Reservation{ID: id, Items: items, TotalCents: total, Status: Reserved}, reserved
		return describe(ctx, tx, made)
	})
	return made, did, err
}

// known gives the reservation that is there already.
func known(ctx context.Context, tx pgx.Tx, id string, items []Item) (Reservation, error) {
	stored, err := lock(ctx, tx, id)
	if err != nil {
		return Reservation{}, err
	}
	if !slices.Equal(stored.Items, items) {
		return Reservation{}, apierror.New(apierror.Conflict, "reservation %s stands for other items already; take a new id", id)
	}
	if stored.Status == Released || stored.Status == Expired {
		return Reservation{}, apierror.New(apierror.Conflict, "reservation %s is %s; take a new id", id, stored.Status)
	}
	return stored, nil
}

// take lowers the stock where there is enough, in one round trip, and gives the price of it all.
func take(ctx context.Context, tx pgx.Tx, items []Item) (int64, error) {
	batch := &pgx.Batch{}
	for _, item := range items {
		batch.Queue(`UPDATE products SET stock = stock - $2 WHERE sku = $1 AND stock >= $2 RETURNING price_cents`,
			item.SKU, item.Quantity)
	}
	results := tx.SendBatch(ctx, batch)
	var total int64
	for _, item := range items {
		var price int64
		err := results.QueryRow().Scan(&price)
		if errors.Is(err, pgx.ErrNoRows) {
			if err := results.Close(); err != nil {
				return 0, fmt.Errorf("take stock: %w", err)
			}
			return 0, whyNot(ctx, tx, item)
		}
		if err != nil {
			return 0, errors.Join(fmt.Errorf("take stock of %s: %w", item.SKU, err), results.Close())
		}
		total += price * item.Quantity
	}
	if err := results.Close(); err != nil {
		return 0, fmt.Errorf("take stock: %w", err)
	}
	return total, nil
}

func whyNot(ctx context.Context, tx pgx.Tx, item Item) error {
	var exists bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM products WHERE sku = $1)`, item.SKU).Scan(&exists); err != nil {
		return fmt.Errorf("look for product: %w", err)
	}
	if !exists {
		return apierror.New(apierror.Unprocessable, "there is no product %q; GET /products lists them", item.SKU)
	}
	return apierror.New(apierror.Unprocessable, "%s is out of stock; order fewer than %d", item.SKU, item.Quantity)
}

// describe writes what was reserved.
func describe(ctx context.Context, tx pgx.Tx, made Reservation) error {
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE reservations SET total_cents = $2 WHERE id = $1`, made.ID, made.TotalCents)
	for _, item := range made.Items {
		batch.Queue(`INSERT INTO reservation_items (reservation_id, sku, quantity) VALUES ($1, $2, $3)`,
			made.ID, item.SKU, item.Quantity)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("insert reservation items: %w", err)
	}
	return nil
}

// lock reads the reservation and keeps others from ending it meanwhile.
func lock(ctx context.Context, tx pgx.Tx, id string) (Reservation, error) {
	reservation := Reservation{ID: id}
	err := tx.QueryRow(ctx, `SELECT status, total_cents, expires_at FROM reservations WHERE id = $1 FOR UPDATE`, id).
		Scan(&reservation.Status, &reservation.TotalCents, &reservation.ExpiresAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return reservation, apierror.New(apierror.NotFound, "there is no reservation %.64q", id)
	}
	if err != nil {
		return reservation, fmt.Errorf("lock reservation: %w", err)
	}
	rows, err := tx.Query(ctx, `SELECT sku, quantity FROM reservation_items WHERE reservation_id = $1 ORDER BY sku COLLATE "C"`, id)
	if err != nil {
		return reservation, fmt.Errorf("read reservation items: %w", err)
	}
	if reservation.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Item]); err != nil {
		return reservation, fmt.Errorf("read reservation items: %w", err)
	}
	return reservation, nil
}

// Commit makes the reservation final. One that has expired is taken again while there is stock. It fails with conflict
// when the reservation was released, or has expired and its stock is gone.
func (p *Postgres) Commit(ctx context.Context, id string) error {
	changed := false
	err := p.inTransaction(ctx, func(tx pgx.Tx) error {
		reservation, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		switch reservation.Status {
		case Committed:
			return nil
		case Released:
			return apierror.New(apierror.Conflict, "reservation %s was released; reserve anew", id)
		case Expired:
			_, err := take(ctx, tx, reservation.Items)
			if apierror.Is(err, apierror.Unprocessable) {
				return apierror.New(apierror.Conflict, "reservation %s has expired and its stock is gone; reserve anew", id).Because(err)
			}
			if err != nil {
				return err
			}
		}
		changed = true
		return end(ctx, tx, id, Committed)
	})
	if changed && err == nil {
		p.reservations.Add(ctx, committed, 1)
	}
	return err
}

// Release gives the stock back. It fails with conflict when the reservation was committed.
func (p *Postgres) Release(ctx context.Context, id string) error {
	changed := false
	err := p.inTransaction(ctx, func(tx pgx.Tx) error {
		reservation, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		switch reservation.Status {
		case Released, Expired:
			return nil
		case Committed:
			return apierror.New(apierror.Conflict, "reservation %s is committed; it can no longer be released", id)
		}
		if err := giveBack(ctx, tx, reservation.Items); err != nil {
			return err
		}
		changed = true
		return end(ctx, tx, id, Released)
	})
	if changed && err == nil {
		p.reservations.Add(ctx, released, 1)
	}
	return err
}

func end(ctx context.Context, tx pgx.Tx, id string, status Status) error {
	_, err := tx.Exec(ctx, `UPDATE reservations SET status = $2, ended_at = now() WHERE id = $1`, id, status)
	if err != nil {
		return fmt.Errorf("end reservation: %w", err)
	}
	return nil
}

// giveBack raises the stock of items that are in lock order, one statement after the other in one round trip.
func giveBack(ctx context.Context, tx pgx.Tx, items []Item) error {
	batch := &pgx.Batch{}
	for _, item := range items {
		batch.Queue(`UPDATE products SET stock = stock + $2 WHERE sku = $1`, item.SKU, item.Quantity)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("give stock back: %w", err)
	}
	return nil
}
