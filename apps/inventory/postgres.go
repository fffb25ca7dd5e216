package inventory

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/database"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations is the schema of the inventory database, its products included.
func Migrations() (fs.FS, error) { return fs.Sub(migrationFiles, "migrations") }

// Postgres keeps products and reservations in a database.
type Postgres struct {
	pool *database.Pool
	ttl  time.Duration
}

// NewPostgres makes a store on the pool of the inventory database. A reservation that is neither committed nor
// released expires after ttl.
func NewPostgres(pool *database.Pool, ttl time.Duration) (*Postgres, error) {
	if pool == nil || ttl <= 0 {
		return nil, fmt.Errorf("inventory: a store needs a pool and a positive time to live (got %s)", ttl)
	}
	return &Postgres{pool: pool, ttl: ttl}, nil
}

// Products gives the catalogue, sorted by SKU.
func (p *Postgres) Products(ctx context.Context) ([]Product, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, `SELECT sku, name, price_cents, stock FROM products ORDER BY sku`)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	products, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Product])
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	return products, nil
}

// Product gives one product, or a not_found error.
func (p *Postgres) Product(ctx context.Context, sku string) (Product, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return Product{}, err
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, `SELECT sku, name, price_cents, stock FROM products WHERE sku = $1`, sku)
	if err != nil {
		return Product{}, fmt.Errorf("read product: %w", err)
	}
	product, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Product])
	if errors.Is(err, pgx.ErrNoRows) {
		return Product{}, apierror.New(apierror.NotFound, "there is no product %.64q", sku)
	}
	if err != nil {
		return Product{}, fmt.Errorf("read product: %w", err)
	}
	return product, nil
}

// inTransaction runs work in a transaction on one connection: committed when it returns nil, else rolled back.
func (p *Postgres) inTransaction(ctx context.Context, work func(pgx.Tx) error) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := work(tx); err != nil {
		return errors.Join(err, database.Rollback(ctx, tx))
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
