package pgxpooltel

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

const scope = "github.com/faultline-lab/faultline/observability/pgxpooltel"

// Config says what the pool is called and where its telemetry goes. All fields are required.
type Config struct {
	// PoolName is the label db.client.connection.pool.name; unique in the program.
	PoolName       string
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
}

func (c Config) validate() error {
	if c.PoolName == "" || c.TracerProvider == nil || c.MeterProvider == nil {
		return errors.New("pgxpooltel: PoolName, TracerProvider and MeterProvider are required")
	}
	return nil
}

// NewPool makes a pool that is observed from its first connection on. It works on a copy of the pool's configuration,
// which must come from pgxpool.ParseConfig; a tracer that is set there goes on being called. Close the pool as usual.
func NewPool(ctx context.Context, pool *pgxpool.Config, cfg Config) (*pgxpool.Pool, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if pool == nil {
		return nil, errors.New("pgxpooltel: a pool configuration is required: make one with pgxpool.ParseConfig")
	}
	pool = pool.Copy()
	hooks, err := newTracer(cfg, pool)
	if err != nil {
		return nil, fmt.Errorf("pgxpooltel: pool %s: %w", cfg.PoolName, err)
	}
	if theirs := pool.ConnConfig.Tracer; theirs != nil {
		pool.ConnConfig.Tracer = multitracer.New(theirs, hooks)
	} else {
		pool.ConnConfig.Tracer = hooks
	}
	made, err := pgxpool.NewWithConfig(ctx, pool)
	if err != nil {
		return nil, fmt.Errorf("pgxpooltel: pool %s: %w", cfg.PoolName, err)
	}
	if err := hooks.instruments.observe(made, hooks); err != nil {
		made.Close()
		return nil, fmt.Errorf("pgxpooltel: pool %s: %w", cfg.PoolName, err)
	}
	return made, nil
}

// Attributes of spans. Statements are most of a trace, and a trace store's memory is counted in attributes; so where the
// server is stands on the spans of the pool, and a statement's span only says which database it was for.
func poolAttributes(pool string, conn *pgx.ConnConfig) []attribute.KeyValue {
	attrs := append(statementAttributes(conn),
		semconv.DBClientConnectionPoolName(pool), semconv.ServerAddress(conn.Host))
	if !strings.HasPrefix(conn.Host, "/") { // a socket folder has no port worth telling
		attrs = append(attrs, semconv.ServerPort(int(conn.Port)))
	}
	return attrs
}

func statementAttributes(conn *pgx.ConnConfig) []attribute.KeyValue {
	return []attribute.KeyValue{semconv.DBSystemNamePostgreSQL, semconv.DBNamespace(conn.Database)}
}
