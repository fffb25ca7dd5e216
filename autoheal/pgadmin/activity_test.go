package pgadmin_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// named opens a session under a name.
func named(t *testing.T, u, name string) *pgx.Conn {
	t.Helper()
	c := connect(t, u)
	exec(t, c, fmt.Sprintf(`SET application_name = '%s'`, name))
	return c
}

// running starts a statement that lasts until the test ends.
func running(t *testing.T, c *pgx.Conn, sql string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() { _, _ = c.Exec(ctx, sql) }) // cancelled below
	t.Cleanup(func() { cancel(); wait.Wait() })
}

// scene is a server with a lock, a long statement and strangers; run keeps its names apart from those of other tests.
type scene struct{ u, run string }

func (s scene) application(name string) string { return s.run + name }

// play opens the sessions: one that holds a row, two that wait for it, one behind another; one long statement; two strangers.
func (s scene) play(t *testing.T) {
	t.Helper()
	table := "stock_" + s.run
	exec(t, connect(t, s.u), fmt.Sprintf(`CREATE TABLE %s (id int PRIMARY KEY, n int); INSERT INTO %[1]s VALUES (1, 0)`, table))
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), s.u)
		if err == nil {
			_, err = conn.Exec(context.Background(), "DROP TABLE "+table)
		}
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close(context.Background())
	})
	root := named(t, s.u, s.application("counting/7"))
	exec(t, root, "BEGIN")
	exec(t, root, "SELECT n, 'a secret' FROM "+table+" WHERE id = 1 FOR UPDATE")
	for range 2 {
		running(t, named(t, s.u, s.application("inventory")+"/"+s.application("inventory-1")), "UPDATE "+table+" SET n = n + 1 WHERE id = 1")
	}
	running(t, named(t, s.u, s.application("orders")+"/"+s.application("orders-1")), "SELECT pg_sleep(600)")
	named(t, s.u, s.application("export/1"))
	named(t, s.u, s.application("orders-probe/orders-1")) // the probe of a workload is no stranger
}

// gather collects until the facts are as the scene will have them.
func (s scene) gather(t *testing.T, server evidence.Server) evidence.Facts {
	t.Helper()
	collector, err := evidence.NewPostgres(evidence.PostgresConfig{Server: server})
	if err != nil {
		t.Fatal(err)
	}
	var facts evidence.Facts
	eventually(t, func() error {
		facts = collector.Collect(t.Context(), evidence.Scope{Workloads: []string{s.application("orders"), s.application("inventory")}})
		root, _ := facts.Get(evidence.LockRoot, s.application("counting/7"))
		waiting, _ := facts.Get(evidence.LockWaiters, s.application("inventory"))
		long, _ := facts.Get(evidence.SessionsActiveLong, s.application("orders-1"))
		if root.Value < 1 || waiting.Value != 2 || long.Value != 1 {
			return fmt.Errorf("root %+v, waiting %+v, long %+v", root, waiting, long)
		}
		return nil
	})
	return facts
}

func TestALockRootALongStatementAndStrangersAreFoundInOneLook(t *testing.T) {
	s := scene{server(t), "s" + strings.ReplaceAll(uuid.NewString()[:8], "-", "")}
	s.play(t)
	a, _ := keep(t, s.u)
	facts := s.gather(t, a)
	session := func(name, subject string) incident.Session {
		fact, known := facts.Get(name, subject)
		if !known || fact.Session == nil || fact.Session.PID == 0 || fact.Session.BackendStart.IsZero() || fact.Session.Application == "" {
			t.Fatalf("%s of %s is %+v; want it with its session", name, subject, fact)
		}
		return *fact.Session
	}
	root := session(evidence.LockRoot, s.application("counting/7"))
	if strings.Contains(root.Statement, "secret") || !strings.HasPrefix(root.Statement, "SELECT n, ? FROM") {
		t.Errorf("the root's statement is %q; want it without literals", root.Statement)
	}
	if waiters := session(evidence.LockWaiters, s.application("inventory")); waiters.PID != root.PID {
		t.Errorf("they wait for %d, want %d", waiters.PID, root.PID)
	}
	long := session(evidence.LongQuery, s.application("orders")+"/"+s.application("orders-1"))
	if long.QueryStart.Before(long.BackendStart) || !strings.HasPrefix(long.Statement, "SELECT pg_sleep(?)") {
		t.Errorf("the long statement is %+v", long)
	}
	session(evidence.ForeignSession, s.application("export/1"))
	if _, found := facts.Get(evidence.ForeignSession, s.application("orders-probe/orders-1")); found {
		t.Error("the probe of a workload is taken for a stranger")
	}
	if oldest, known := facts.Get(evidence.LockRootOldest, "server"); !known || !strings.Contains(oldest.Detail, s.application("counting/7")) {
		t.Errorf("the oldest root is %+v", oldest)
	}
	slots, known := facts.Get(evidence.ServerReservedSlots, "server")
	if !known || slots.Value < 3 {
		t.Errorf("reserved slots %+v; a superuser's three at least", slots)
	}
	for _, fact := range facts {
		if strings.HasPrefix(fact.Name, "foreign") && fact.Session != nil && strings.HasPrefix(fact.Session.Application, "autoheal/") {
			t.Errorf("the healer takes itself for a stranger: %+v", fact)
		}
	}
}
