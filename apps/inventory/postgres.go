package inventory

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/counts"
	"github.com/faultline-lab/faultline/apps/internal/database"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations is the schema of the inventory database, its products included.
func Migrations() (fs.FS, error) { return fs.Sub(migrationFiles, "migrations") }

// PostgresConfig is what a Postgres needs; every field is required.
type PostgresConfig struct {
	// Pool is of the inventory database.
	Pool *database.Pool
	// TTL is after what time a reservation that is neither committed nor released expires.
	TTL time.Duration
	// MeterProvider takes the counter of reservations.
	MeterProvider metric.MeterProvider
}

// Postgres keeps products and reservations in a database.
type Postgres struct {
	pool         *database.Pool
	ttl          time.Duration
	reservations *counts.Counter[result]
}

// NewPostgres makes a store.
func NewPostgres(cfg PostgresConfig) (*Postgres, error) {
	if cfg.Pool == nil || cfg.TTL <= 0 || cfg.MeterProvider == nil {
		return nil, fmt.Errorf("inventory: a store needs Pool, MeterProvider and a positive TTL (got %s)", cfg.TTL)
	}
	reservations, err := newReservationCounter(cfg.MeterProvider)
	if err != nil {
		return nil, err
	}
	return &Postgres{pool: cfg.Pool, ttl: cfg.TTL, reservations: reservations}, nil
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
