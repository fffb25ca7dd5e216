package postgres

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestStandaloneLeavesNothing(t *testing.T) {
	server := standalone(t, Options{})
	if err := probe(t.Context(), server.URL); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Dir(server.LogFile)
	for range 2 {
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there (%v)", folder, err)
	}
	if err := probe(t.Context(), server.URL); err == nil {
		t.Error("the server still answers")
	}
}

func TestTheNextServerSweepsWhatAKilledOneLeft(t *testing.T) {
	server := standalone(t, Options{})
	temp := filepath.Dir(filepath.Dir(server.LogFile))
	left := filepath.Join(temp, folderPrefix+"of-a-killed-process")
	if err := errors.Join(os.MkdirAll(filepath.Join(left, "data"), 0o700),
		os.WriteFile(filepath.Join(left, "lock"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	sweep(temp)
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there (%v)", left, err)
	}
	if err := probe(t.Context(), server.URL); err != nil {
		t.Errorf("a server in use was swept away: %v", err)
	}
}

// connect opens a session that ends with the test.
func connect(t *testing.T, url string) (*pgx.Conn, error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close(t.Context()) }) // it may have been ended by then
	}
	return conn, err
}

// as is the server's URL for another role and database.
func as(t *testing.T, server *Server, role, password, database string) string {
	t.Helper()
	parsed, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	parsed.User, parsed.Path = url.UserPassword(role, password), "/"+database
	return parsed.String()
}

func TestBootstrap(t *testing.T) {
	server := standalone(t, Options{MaxConnections: 12})
	passwords := NewPasswords()
	if err := Bootstrap(t.Context(), server.URL, NewPasswords()); err != nil {
		t.Fatal(err)
	}
	if err := Bootstrap(t.Context(), server.URL, passwords); err != nil {
		t.Fatalf("a second time: %v", err)
	}
	orders := as(t, server, Orders, passwords.Orders, Orders)

	t.Run("a service owns its database", func(t *testing.T) {
		conn, err := connect(t, orders)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "CREATE TABLE orders (id bigint)"); err != nil {
			t.Error(err)
		}
	})
	t.Run("a wrong password is refused", func(t *testing.T) {
		_, err := connect(t, as(t, server, Orders, passwords.Inventory, Orders))
		wantState(t, err, "28P01")
	})
	t.Run("a service cannot see what the sessions of others do", func(t *testing.T) {
		if got := visibleQueries(t, orders); got != 0 {
			t.Errorf("it sees %d", got)
		}
	})
	t.Run("the healer sees the sessions of all and ends one", func(t *testing.T) {
		victim, err := connect(t, orders)
		if err != nil {
			t.Fatal(err)
		}
		healer := as(t, server, Autoheal, passwords.Autoheal, "postgres")
		if visibleQueries(t, healer) == 0 {
			t.Error("it sees none")
		}
		conn, err := connect(t, healer)
		if err != nil {
			t.Fatal(err)
		}
		var ended bool
		if err := conn.QueryRow(t.Context(), "SELECT pg_terminate_backend($1, 5000)", int32(victim.PgConn().PID())).
			Scan(&ended); err != nil || !ended {
			t.Errorf("ended %v, %v", ended, err)
		}
	})
	t.Run("when the server is full a service is turned away and the healer gets in", func(t *testing.T) {
		var err error
		for range 12 {
			if _, err = connect(t, orders); err != nil {
				break
			}
		}
		wantState(t, err, "53300")
		if _, err := connect(t, as(t, server, Autoheal, passwords.Autoheal, Orders)); err != nil {
			t.Errorf("the healer: %v", err)
		}
	})
}

// visibleQueries counts the sessions of other roles whose query the role of this URL may read.
func visibleQueries(t *testing.T, url string) int {
	t.Helper()
	conn, err := connect(t, url)
	if err != nil {
		t.Fatal(err)
	}
	var count int
	err = conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
		WHERE backend_type <> 'client backend' AND backend_start IS NOT NULL
		   OR usename <> current_user AND query <> '<insufficient privilege>'`).Scan(&count)
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func wantState(t *testing.T, err error, state string) {
	t.Helper()
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != state {
		t.Errorf("got %v, want SQLSTATE %s", err, state)
	}
}
