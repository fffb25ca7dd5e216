package imports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/database"
)

// chunk is how many lines are written at once, between two pauses.
const chunk = 10

// Postgres keeps what was imported.
type Postgres struct {
	pool  *database.Pool
	pause time.Duration
}

// NewPostgres makes a store on the pool of the orders database, whose acquire timeout is a part's patience. Between two
// chunks of a part it pauses, so that a big part does not crowd out the shop's own writes.
//
// It pauses with its transaction open, which is the mistake that makes a batch felt in the pool: docs/decisions, 0019.
func NewPostgres(pool *database.Pool, pause time.Duration) *Postgres {
	return &Postgres{pool: pool, pause: pause}
}

// Write writes a part in one transaction, once: first says that it was not there yet. Errors: conflict when its name stands
// for other lines, unavailable when no connection was free.
func (p *Postgres) Write(ctx context.Context, part Part) (first bool, err error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return false, fmt.Errorf("begin: %w", err)
	}
	if first, err = p.writeIn(ctx, tx, part); err != nil {
		return false, errors.Join(err, database.Rollback(ctx, tx))
	}
	if err := tx.Commit(ctx); err != nil {
		return false, fmt.Errorf("commit: %w", err)
	}
	return first, nil
}

func (p *Postgres) writeIn(ctx context.Context, tx pgx.Tx, part Part) (first bool, err error) {
	tag, err := tx.Exec(ctx, `INSERT INTO imports (batch, part, fingerprint, lines) VALUES ($1, $2, $3, $4)
		ON CONFLICT (batch, part) DO NOTHING`, part.Batch, part.Part, part.fingerprint(), len(part.Lines))
	if err != nil {
		return false, fmt.Errorf("claim part: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return false, known(ctx, tx, part)
	}
	written := 0
	for lines := range slices.Chunk(part.Lines, chunk) {
		if written > 0 {
			if err := pause(ctx, p.pause); err != nil {
				return false, err
			}
		}
		if err := insert(ctx, tx, part, written, lines); err != nil {
			return false, err
		}
		written += len(lines)
	}
	return true, nil
}

// known says whether the part that is there already is the same.
func known(ctx context.Context, tx pgx.Tx, part Part) error {
	var fingerprint []byte
	err := tx.QueryRow(ctx, `SELECT fingerprint FROM imports WHERE batch = $1 AND part = $2`, part.Batch, part.Part).
		Scan(&fingerprint)
	if err != nil {
		return fmt.Errorf("read part: %w", err)
	}
	if !bytes.Equal(fingerprint, part.fingerprint()) {
		return apierror.New(apierror.Conflict, "part %d of batch %s stands for other lines already; give it another number", part.Part, part.Batch)
	}
	return nil
}

// insert writes lines, which come after that many others of their part, in one statement.
func insert(ctx context.Context, tx pgx.Tx, part Part, after int, lines []Line) error {
	var numbers, quantities []int
	var customers, skus []string
	for i, line := range lines {
		numbers, quantities = append(numbers, after+i+1), append(quantities, line.Quantity)
		customers, skus = append(customers, line.Customer), append(skus, line.SKU)
	}
	_, err := tx.Exec(ctx, `INSERT INTO imported_lines (batch, part, line, customer, sku, quantity)
		SELECT $1, $2, * FROM unnest($3::int[], $4::text[], $5::text[], $6::int[])`,
		part.Batch, part.Part, numbers, customers, skus, quantities)
	if err != nil {
		return fmt.Errorf("insert lines: %w", err)
	}
	return nil
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
