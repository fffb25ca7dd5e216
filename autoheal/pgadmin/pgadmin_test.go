package pgadmin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/pgadmin"
)

// server is a throwaway server's superuser URL.
func server(t *testing.T) string {
	t.Helper()
	u := os.Getenv("FAULTLINE_TEST_POSTGRES_URL")
	if u == "" {
		const what = "FAULTLINE_TEST_POSTGRES_URL is unset: NOT TESTED is the admin connection against a real Postgres, " +
			"reserved slots included; `make test` provides one"
		if os.Getenv("CI") == "true" {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	return u
}

func connect(t *testing.T, u string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the server may have ended it already
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// role makes a role for one test and returns the URL to log in as it.
func role(t *testing.T, u string, grants ...string) string {
	t.Helper()
	name := "r" + strings.ReplaceAll(uuid.NewString(), "-", "")
	super := connect(t, u)
	exec(t, super, fmt.Sprintf(`CREATE ROLE %s LOGIN PASSWORD 'secret'`, name))
	t.Cleanup(func() {
		if _, err := super.Exec(context.Background(), "DROP ROLE "+name); err != nil {
			t.Error(err)
		}
		_ = super.Close(context.Background())
	})
	for _, g := range grants {
		exec(t, super, fmt.Sprintf(`GRANT %s TO %s`, g, name))
	}
	as, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	as.User = url.UserPassword(name, "secret")
	return as.String()
}

// lines is a log that tests can read.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// keep opens an admin connection and keeps it until the test ends.
func keep(t *testing.T, u string) (*pgadmin.Admin, *lines) {
	t.Helper()
	log := &lines{}
	a, err := pgadmin.New(pgadmin.Config{URL: u, Logger: slog.New(slog.NewTextHandler(log, nil)), KeepEvery: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := a.Keep(ctx); err != nil {
			t.Errorf("keeping the connection: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
	return a, log
}

func TestSessionsAreSeenWithTheirState(t *testing.T) {
	u := server(t)
	a, _ := keep(t, role(t, u, "pg_read_all_stats"))
	name := "orders/orders-" + uuid.NewString()[:8]
	as := func() *pgx.Conn {
		c := connect(t, u)
		exec(t, c, fmt.Sprintf(`SET application_name = '%s'`, name))
		return c
	}
	as()
	exec(t, as(), "BEGIN")
	active := as()
	ctx, cancel := context.WithCancel(t.Context())
	var sleeping sync.WaitGroup
	sleeping.Go(func() { _, _ = active.Exec(ctx, "SELECT pg_sleep(30)") }) // cancelled below
	defer func() { cancel(); sleeping.Wait() }()
	eventually(t, func() error {
		activity, err := a.Activity(t.Context())
		if err != nil {
			return err
		}
		states := map[string]evidence.Session{}
		for _, s := range activity.Sessions {
			if s.ApplicationName == name {
				states[s.State] = s
			}
		}
		if len(states) != 3 || activity.MaxConnections == 0 {
			return fmt.Errorf("states %v of %d connections", states, activity.MaxConnections)
		}
		if s := states["idle"]; s.InState < 0.2 || s.InState > 60 {
			return fmt.Errorf("the idle session is idle for %v s", s.InState)
		}
		if states["idle in transaction"].PID == 0 || states["active"].PID == 0 {
			return fmt.Errorf("states %v", states)
		}
		return nil
	})
}

func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestTheReservedSlotWorksWhileTheServerIsFull(t *testing.T) {
	u := server(t)
	kept, _ := keep(t, u)
	if _, err := kept.Activity(t.Context()); err != nil {
		t.Fatal(err)
	}
	var reserved string
	if err := connect(t, u).QueryRow(t.Context(), `SHOW reserved_connections`).Scan(&reserved); err != nil {
		t.Fatal(err)
	}
	late := u // a superuser's slots are reserved on every server
	if reserved != "0" {
		late = role(t, u, "pg_read_all_stats", "pg_use_reserved_connections")
	}
	ordinary := role(t, u)
	release := fill(t, ordinary)
	defer release()
	activity, err := kept.Activity(t.Context())
	if err != nil {
		t.Fatalf("the kept connection does not answer on a full server: %v", err)
	}
	if full := activity.MaxConnections - len(activity.Sessions); full > 10 {
		t.Errorf("%d of %d connections are taken: that is not full", len(activity.Sessions), activity.MaxConnections)
	}
	// And one that has to be opened now, as after a crash of the healer.
	log := slog.New(slog.DiscardHandler)
	fresh, err := pgadmin.New(pgadmin.Config{URL: late, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.Activity(t.Context()); err != nil {
		t.Errorf("a new admin connection cannot be opened on a full server: %v", err)
	}
	stop, cancel := context.WithCancel(t.Context())
	cancel()
	if err := fresh.Keep(stop); err != nil {
		t.Error(err)
	}
}

// fill takes every slot that an ordinary role can get, and returns the function that gives them back.
func fill(t *testing.T, u string) func() {
	t.Helper()
	var taken []*pgx.Conn
	release := func() {
		for _, c := range taken {
			_ = c.Close(context.Background())
		}
		taken = nil
	}
	for len(taken) < 1000 {
		c, err := pgx.Connect(t.Context(), u)
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.Code == "53300" {
			return release
		}
		if err != nil {
			release()
			t.Fatal(err)
		}
		taken = append(taken, c)
	}
	release()
	t.Fatal("the server has more than 1000 connections: give the test a throwaway server")
	return nil
}

func TestAConnectionThatTheServerEndedIsOpenedAgain(t *testing.T) {
	u := server(t)
	name := "autoheal/" + uuid.NewString()[:8]
	a, err := pgadmin.New(pgadmin.Config{URL: u, Application: name, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	super := connect(t, u)
	var ended bool
	err = super.QueryRow(t.Context(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1`, name).Scan(&ended)
	if err != nil || !ended {
		t.Fatalf("ended %v, error %v", ended, err)
	}
	if _, err := a.Activity(t.Context()); err != nil {
		t.Errorf("the very next question failed: %v", err)
	}
	stop, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Keep(stop); err != nil {
		t.Error(err)
	}
}

func TestARoleThatMayNotSeeOthersIsRefusedWithWhatToDo(t *testing.T) {
	a, err := pgadmin.New(pgadmin.Config{URL: role(t, server(t)), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Activity(t.Context()); err == nil || !strings.Contains(err.Error(), "GRANT pg_read_all_stats") {
		t.Errorf("error %v; want what to grant", err)
	}
}

func TestAServerThatIsAwayIsAnError(t *testing.T) {
	a, err := pgadmin.New(pgadmin.Config{URL: "postgres://u@127.0.0.1:1/db", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if activity, err := a.Activity(t.Context()); err == nil || activity.Query == "" {
		t.Errorf("error %v, activity %+v; want an error with the query", err, activity)
	}
	if _, err := pgadmin.New(pgadmin.Config{Logger: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("no URL was accepted")
	}
}
