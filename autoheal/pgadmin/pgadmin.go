package pgadmin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// rightsQuery asks for the two rights that the connection needs.
const rightsQuery = `SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),
  rolsuper OR pg_has_role(current_user, 'pg_use_reserved_connections', 'USAGE')
    AND current_setting('reserved_connections')::int > 0
FROM pg_roles WHERE rolname = current_user`

// Config says which server, and as whom.
type Config struct {
	URL string // of the database server, straight, not through a proxy
	// Application is the connection's application_name.
	Application string
	Logger      *slog.Logger
	// KeepEvery is the pause between two checks of an idle connection; 2 s by default.
	KeepEvery time.Duration
	// Timeout bounds opening and each statement of the upkeep; 2 s by default.
	Timeout time.Duration
	// TracerProvider and MeterProvider observe the connection. Both, or neither: then it is bare.
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
}

// Admin is the connection. It is safe for concurrent use: one asks, the others wait their turn.
type Admin struct {
	cfg  Config
	pgx  *pgx.ConnConfig
	turn chan struct{} // holds one token; a mutex that a context can give up on
	conn *pgx.Conn

	senses *senses // nil where nobody observes
}

// New checks the configuration; the connection is opened by Keep or by the first question.
func New(cfg Config) (*Admin, error) {
	if cfg.URL == "" {
		return nil, errors.New("pgadmin: the admin URL of the database is missing: give --database-admin-url")
	}
	if cfg.Logger == nil {
		return nil, errors.New("pgadmin: no logger was given")
	}
	parsed, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("pgadmin: --database-admin-url: %w", err)
	}
	if cfg.Application == "" {
		cfg.Application = "autoheal/admin"
	}
	if cfg.KeepEvery == 0 {
		cfg.KeepEvery = 2 * time.Second
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 2 * time.Second
	}
	parsed.RuntimeParams["application_name"] = cfg.Application
	// The server gives up before our deadline does: a cancelled query would cost the connection and its slot.
	parsed.RuntimeParams["statement_timeout"] = "800ms"
	a := &Admin{cfg: cfg, pgx: parsed, turn: make(chan struct{}, 1)}
	a.turn <- struct{}{}
	if cfg.TracerProvider != nil && cfg.MeterProvider != nil {
		if a.senses, err = newSenses(cfg.TracerProvider, cfg.MeterProvider, parsed); err != nil {
			return nil, fmt.Errorf("pgadmin: %w", err)
		}
		parsed.Tracer = a.senses
	}
	return a, nil
}

// Keep opens the connection and keeps it open until the context ends; then it closes it. A server that is away is
// tried again and again.
func (a *Admin) Keep(ctx context.Context) error {
	var down bool
	for {
		err := a.check(ctx)
		switch {
		case err != nil && !down && ctx.Err() == nil:
			a.cfg.Logger.WarnContext(ctx, "the admin connection to the database is away; trying again", "error", err)
		case err == nil && down:
			a.cfg.Logger.InfoContext(ctx, "the admin connection to the database is back")
		}
		down = err != nil
		timer := time.NewTimer(a.cfg.KeepEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return a.close()
		case <-timer.C:
		}
	}
}

func (a *Admin) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Timeout)
	defer cancel()
	return a.with(ctx, func(conn *pgx.Conn) error { return conn.Ping(ctx) })
}

// Ping says whether the connection answers.
func (a *Admin) Ping(ctx context.Context) error {
	return a.with(ctx, func(conn *pgx.Conn) error { return conn.Ping(ctx) })
}

// with lends the connection out, opened where it is not, and closed where it broke.
func (a *Admin) with(ctx context.Context, do func(*pgx.Conn) error) error {
	asked := time.Now()
	select {
	case <-a.turn:
	case <-ctx.Done():
		return fmt.Errorf("the admin connection is busy: %w", ctx.Err())
	}
	lent := time.Now()
	defer func() {
		a.turn <- struct{}{}
		if a.senses != nil {
			a.senses.lent(ctx, asked, lent)
		}
	}()
	fresh := a.conn == nil || a.conn.IsClosed()
	if fresh {
		if err := a.open(ctx); err != nil {
			return err
		}
	}
	err := do(a.conn)
	if err == nil || !a.conn.IsClosed() || fresh || ctx.Err() != nil {
		return err
	}
	// The kept connection had died unnoticed, with the server or on the way: one new one answers the same question.
	if err := a.open(ctx); err != nil {
		return err
	}
	return do(a.conn)
}

func (a *Admin) open(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, a.pgx)
	if err != nil {
		return fmt.Errorf("opening the admin connection: %w", err)
	}
	var stats, reserved bool
	if err := conn.QueryRow(ctx, rightsQuery).Scan(&stats, &reserved); err != nil {
		return errors.Join(fmt.Errorf("asking for the admin connection's rights: %w", err), conn.Close(ctx))
	}
	if !stats {
		return errors.Join(fmt.Errorf("role %s may not see other sessions: GRANT pg_read_all_stats TO it", a.pgx.User),
			conn.Close(ctx))
	}
	if !reserved {
		a.cfg.Logger.WarnContext(ctx, "the admin connection has no reserved slot: it cannot be reopened while max_connections is full",
			"role", a.pgx.User, "help", "set reserved_connections and GRANT pg_use_reserved_connections")
	}
	a.conn = conn
	return nil
}

func (a *Admin) close() error {
	<-a.turn
	defer func() { a.turn <- struct{}{} }()
	if a.conn == nil || a.conn.IsClosed() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return a.conn.Close(ctx)
}
