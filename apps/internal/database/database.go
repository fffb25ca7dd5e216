// Package database gives a service its Postgres: a migrated schema, and a warm pool of a fixed size whose callers wait
// for a bounded time.
package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/observability/pgxpooltel"
)

// Flags are those of a service with a database.
type Flags struct {
	DatabaseURL    string        `required:"" placeholder:"URL" help:"Postgres to use, for example postgres://orders:secret@127.0.0.1:5434/orders. The schema is brought up to date at the start."`
	PoolMax        int32         `default:"${pool_max}" help:"Connections in the pool. They are opened at the start and kept: the pool neither grows nor shrinks."`
	AcquireTimeout time.Duration `default:"400ms" help:"The longest that a request waits for a connection; then it is refused with 503."`
	// A pool's connections must not all end at once: each lives up to a third longer, by chance.
	ConnectionLifetime time.Duration `default:"1h" help:"After this, and up to a third more, a connection is closed when it is given back, and another one is made."`
	DatabaseWait       time.Duration `default:"10s" help:"How long to wait at the start for a database that does not answer, before giving up."`
}

// Config is what Open needs beside the flags.
type Config struct {
	Flags
	// Workload and Instance make the application_name of every session: workload/instance.
	Workload, Instance string
	// Migrations holds the schema as numbered goose files.
	Migrations     fs.FS
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
	// Bare leaves the pool without hooks. It is there to measure what telemetry costs.
	Bare bool
}

// Validate says what is wrong with the flags' values. That the URL is missing is said by the command line, beside
// whatever else is missing, and by Open.
func (f Flags) Validate() error {
	switch {
	case f.PoolMax < 1:
		return fmt.Errorf("--pool-max is %d; a pool needs at least 1 connection", f.PoolMax)
	case f.AcquireTimeout <= 0 || f.DatabaseWait <= 0 || f.ConnectionLifetime <= 0:
		return errors.New("--acquire-timeout, --connection-lifetime and --database-wait must be positive")
	}
	return nil
}

func (c Config) validate() error {
	switch {
	case c.DatabaseURL == "":
		return errors.New("--database-url is required")
	case c.Workload == "" || c.Instance == "":
		return errors.New("database: Workload and Instance are required: sessions are told apart by them")
	case c.Migrations == nil:
		return errors.New("database: Migrations are required")
	}
	return c.Flags.Validate()
}

// Sizes and times of the pool that nobody needs to tune.
const (
	warmUp         = 500 * time.Millisecond
	retryPause     = 100 * time.Millisecond
	connectTimeout = 2 * time.Second
)

// Open waits until the database answers, migrates it and opens the pool. It returns when the pool is warm, or when
// warming took too long but one connection is there.
func Open(ctx context.Context, cfg Config) (*Pool, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	poolConfig, err := cfg.pool()
	if err != nil {
		return nil, err
	}
	if err := migrateWhenReachable(ctx, cfg, poolConfig); err != nil {
		return nil, err
	}
	pgxPool, err := cfg.connect(ctx, poolConfig)
	if err != nil {
		return nil, fmt.Errorf("open the pool: %w", err)
	}
	pool := newPool(pgxPool, cfg.AcquireTimeout)
	if err := pool.warm(ctx); err != nil {
		pgxPool.Close()
		return nil, fmt.Errorf("open the pool: %w", err)
	}
	return pool, nil
}

func (c Config) connect(ctx context.Context, poolConfig *pgxpool.Config) (*pgxpool.Pool, error) {
	if c.Bare {
		return pgxpool.NewWithConfig(ctx, poolConfig)
	}
	return pgxpooltel.NewPool(ctx, poolConfig, pgxpooltel.Config{
		PoolName: c.Workload, TracerProvider: c.TracerProvider, MeterProvider: c.MeterProvider,
	})
}

func (c Config) pool() (*pgxpool.Config, error) {
	poolConfig, err := pgxpool.ParseConfig(c.DatabaseURL)
	if err != nil {
		// pgx's own words would show a piece of a password that is not percent-encoded.
		return nil, errors.New("--database-url is not of the form postgres://user:password@host:5432/database; " +
			"percent-encode what is special in the password, and look for unknown parameters")
	}
	poolConfig.ConnConfig.RuntimeParams["application_name"] = c.Workload + "/" + c.Instance
	if poolConfig.ConnConfig.ConnectTimeout == 0 {
		poolConfig.ConnConfig.ConnectTimeout = connectTimeout
	}
	poolConfig.MaxConns, poolConfig.MinConns = c.PoolMax, c.PoolMax
	poolConfig.MaxConnLifetime, poolConfig.MaxConnLifetimeJitter = c.ConnectionLifetime, c.ConnectionLifetime/3
	return poolConfig, nil
}

// migrateWhenReachable tries again while the server cannot be reached or is still starting; anything else that it says
// is final.
func migrateWhenReachable(ctx context.Context, cfg Config, poolConfig *pgxpool.Config) error {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.DatabaseWait, errors.New("--database-wait is over"))
	defer cancel()
	var last error
	for {
		err := migrate(ctx, poolConfig.ConnConfig, cfg.Migrations)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if !mayPass(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no usable database after %s: %w; is Postgres running, and --database-url right?", cfg.DatabaseWait, last)
		case <-time.After(retryPause):
		}
	}
}

// mayPass says whether waiting can help: the server is not there, still starting (57P03), or full (53300).
func mayPass(err error) bool {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer.Code == "57P03" || answer.Code == "53300"
	}
	var connect *pgconn.ConnectError
	return errors.As(err, &connect)
}
