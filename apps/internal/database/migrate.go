package database

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// migrationLock is the advisory lock that replicas starting at once queue up for; any number that no other program
// locks in these databases.
const migrationLock int64 = 7_306_851

// migrate brings the schema up to date over connections of its own, which are closed again: the pool's statistics are
// about requests only.
//
// The lock is taken around goose and not by it: goose looks at its version table before it locks, and replicas that
// meet there wait a second, which would be most of a start.
func migrate(ctx context.Context, connConfig *pgx.ConnConfig, migrations fs.FS) error {
	conn, err := pgx.ConnectConfig(ctx, connConfig.Copy())
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	// The session's end gives the lock back, also when the process is killed.
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return fmt.Errorf("wait for another replica's migration: %w", err)
	}

	db := stdlib.OpenDB(*connConfig)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the schema: %w", err)
	}
	return nil
}
