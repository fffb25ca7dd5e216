package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// healerRoles are what the healer may do: see every session, end those of others than superusers, and get in by a
// reserved slot when the server is full.
func healerRoles() []string {
	return []string{"pg_monitor", "pg_signal_backend", "pg_use_reserved_connections"}
}

// WaitReady returns when the server at url takes sessions. It fails when ctx ends first, with the last reason.
func WaitReady(ctx context.Context, url string) error {
	for {
		err := probe(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL is not ready: %w", errors.Join(context.Cause(ctx), err))
		case <-time.After(25 * time.Millisecond):
		}
	}
}

func probe(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// Bootstrap makes the databases and roles of the stack, or brings the passwords of those that exist up to date. adminURL
// is the superuser's, for any database.
func Bootstrap(ctx context.Context, adminURL string, passwords Passwords) error {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("bootstrap: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))

	for _, role := range []string{Orders, Inventory, Autoheal} {
		if err := ensureRole(ctx, conn, role, passwords.Of(role)); err != nil {
			return fmt.Errorf("bootstrap: role %s: %w", role, err)
		}
	}
	for _, database := range []string{Orders, Inventory} {
		if err := ensureDatabase(ctx, conn, database); err != nil {
			return fmt.Errorf("bootstrap: database %s: %w", database, err)
		}
	}
	for _, granted := range healerRoles() {
		if _, err := conn.Exec(ctx, "GRANT "+quote(granted)+" TO "+quote(Autoheal)); err != nil {
			return fmt.Errorf("bootstrap: grant %s: %w", granted, err)
		}
	}
	return nil
}

// ensureRole makes a role that may log in with the password and do nothing else.
func ensureRole(ctx context.Context, conn *pgx.Conn, role, password string) error {
	if password == "" {
		return errors.New("no password given")
	}
	var exists bool
	err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).Scan(&exists)
	if err != nil {
		return err
	}
	verb := "CREATE"
	if exists {
		verb = "ALTER"
	}
	// These statements take no parameters, so the server does the quoting of the password.
	var statement string
	err = conn.QueryRow(ctx, "SELECT format('%s ROLE %I LOGIN PASSWORD %L', $1::text, $2::text, $3::text)",
		verb, role, password).Scan(&statement)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return err
}

// ensureDatabase makes a database owned by the role of the same name.
func ensureDatabase(ctx context.Context, conn *pgx.Conn, name string) error {
	var exists bool
	err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+quote(name)+" OWNER "+quote(name))
	return err
}

func quote(identifier string) string { return pgx.Identifier{identifier}.Sanitize() }
