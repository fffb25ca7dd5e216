// Package postgrestest gives each test a database of its own on a real Postgres server.
package postgrestest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Variable names the server: the URL of a superuser of a throwaway Postgres.
const Variable = "FAULTLINE_TEST_POSTGRES_URL"

// New creates a database, drops it when the test ends, and returns its URL. Without a server the test is skipped, or
// fails where CI=true.
func New(t testing.TB) string {
	t.Helper()
	server := os.Getenv(Variable)
	if server == "" {
		const missing = "NOT TESTED against Postgres: " + Variable + " is not set. `make test` starts a server and sets it."
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	name := "apps_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	exec(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { exec(t, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	parsed, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s is not a URL: %v", Variable, err)
	}
	parsed.Path = "/" + name
	return parsed.String()
}

func exec(t testing.TB, server, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := execOnce(ctx, server, sql); err != nil {
		t.Fatal(err)
	}
}

func execOnce(ctx context.Context, server, sql string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", Variable, err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// Connect opens one session to look at a test's database from outside; it is closed when the test ends.
func Connect(t testing.TB, databaseURL string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Eventually waits until the condition holds, and fails the test when it does not within a generous bound.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}
