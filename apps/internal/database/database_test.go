package database_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/database"
	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
)

// The second file is slow enough to be met half-way.
var schema = fstest.MapFS{
	"00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (n int);\n")},
	"00002_b.sql": {Data: []byte("-- +goose Up\nINSERT INTO a VALUES (1);\nSELECT pg_sleep(0.1);\n")},
}

func config(url string, poolMax int32) database.Config {
	return database.Config{
		Flags: database.Flags{
			DatabaseURL: url, PoolMax: poolMax, AcquireTimeout: 400 * time.Millisecond, ConnectionLifetime: time.Hour, DatabaseWait: 5 * time.Second,
		},
		Workload: "orders", Instance: "orders-7", Migrations: schema,
		TracerProvider: trace.NewTracerProvider(), MeterProvider: metric.NewMeterProvider(),
	}
}

func open(t *testing.T, cfg database.Config) *database.Pool {
	t.Helper()
	pool, err := database.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close(context.Background()) })
	return pool
}

func TestFiveProcessesThatStartAtOnceMigrateOnce(t *testing.T) {
	url := postgrestest.New(t)
	// An older schema is there: on an empty database goose's own retries would hide a missing lock.
	before := config(url, 1)
	before.Migrations = fstest.MapFS{"00001_a.sql": schema["00001_a.sql"]}
	open(t, before)
	var starts sync.WaitGroup
	for range 5 {
		starts.Go(func() {
			pool, err := database.Open(context.Background(), config(url, 1))
			if err != nil {
				t.Error(err)
				return
			}
			_ = pool.Close(context.Background())
		})
	}
	starts.Wait()
	var rows int
	if err := postgrestest.Connect(t, url).QueryRow(context.Background(), `SELECT count(*) FROM a`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("the second migration ran %d times (%v), want once", rows, err)
	}
}

func TestTheWarmPoolIsFullAndItsSessionsSayWhoseTheyAre(t *testing.T) {
	url := postgrestest.New(t)
	open(t, config(url, 3))
	var sessions int
	err := postgrestest.Connect(t, url).QueryRow(context.Background(),
		`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'orders/orders-7'
		 AND state = 'idle'`).Scan(&sessions)
	if err != nil || sessions != 3 {
		t.Errorf("%d sessions of orders/orders-7 (%v), want 3", sessions, err)
	}
}

func TestAcquireRefusesAfterItsTimeoutAndNotTheCallers(t *testing.T) {
	cfg := config(postgrestest.New(t), 1)
	cfg.AcquireTimeout = 50 * time.Millisecond
	pool := open(t, cfg)
	held := acquire(t, pool)
	_, err := pool.Acquire(context.Background())
	if !apierror.Is(err, apierror.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want unavailable because of a deadline", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := pool.Acquire(ctx); !errors.Is(err, context.Canceled) || apierror.Is(err, apierror.Unavailable) {
		t.Errorf("got %v, want the caller's own end", err)
	}
	held.Release()
	acquire(t, pool).Release()
}

func TestADrainingPoolRefusesWhoWaitsAndServesWhoFindsOneFree(t *testing.T) {
	cfg := config(postgrestest.New(t), 1)
	cfg.AcquireTimeout = time.Hour
	pool := open(t, cfg)
	held := acquire(t, pool)
	refused := make(chan error)
	go func() {
		_, err := pool.Acquire(context.Background())
		refused <- err
	}()
	pool.Drain()
	select {
	case err := <-refused:
		if !apierror.Is(err, apierror.Unavailable) {
			t.Errorf("got %v, want unavailable", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("still waiting for a connection that never comes")
	}
	held.Release()
	acquire(t, pool).Release()
}

func TestAPoolThatLostAConnectionStillCloses(t *testing.T) {
	pool := open(t, config(postgrestest.New(t), 2))
	lost := acquire(t, pool)
	done := make(chan error)
	go func() { done <- pool.Close(context.Background()) }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("it says that everything was given back")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Close blocks for ever")
	}
	lost.Release()
}

func TestNoDatabaseIsOneClearErrorAfterTheWait(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	cfg := config("postgres://nobody@"+address+"/none", 1)
	cfg.DatabaseWait = 300 * time.Millisecond
	_, err = database.Open(context.Background(), cfg)
	if err == nil {
		t.Fatal("opened a database that is not there")
	}
	t.Log(err)
}

func TestADatabaseThatDoesNotExistIsNotWaitedFor(t *testing.T) {
	cfg := config(postgrestest.New(t)+"_gone", 1)
	cfg.DatabaseWait = time.Hour
	if _, err := database.Open(context.Background(), cfg); err == nil {
		t.Fatal("opened a database that does not exist")
	}
}

func acquire(t *testing.T, pool *database.Pool) *pgxpool.Conn {
	t.Helper()
	conn, err := pool.Acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestAURLThatCannotBeReadIsNotShown(t *testing.T) {
	_, err := database.Open(t.Context(), config("postgres://orders:first/second#third%d@127.0.0.1:1/orders", 1))
	if err == nil || !strings.Contains(err.Error(), "percent-encode") {
		t.Fatalf("got %v, want what to do", err)
	}
	for _, piece := range []string{"first", "second", "third"} {
		if strings.Contains(err.Error(), piece) {
			t.Errorf("the error shows a piece of the password: %v", err)
		}
	}
}

func TestABarePoolIsAPoolOfTheSameSizeWithoutHooks(t *testing.T) {
	url := postgrestest.New(t)
	for _, bare := range []bool{false, true} {
		page, cfg := metrictest.New(t), config(url, 3)
		cfg.Bare, cfg.TracerProvider, cfg.MeterProvider = bare, page.TracerProvider(), page.MeterProvider()
		pool := open(t, cfg)
		conn, err := pool.Acquire(t.Context())
		if err != nil || pool.Acquired() != 1 {
			t.Fatalf("bare=%v: %d acquired (%v)", bare, pool.Acquired(), err)
		}
		conn.Release()
		if seen := strings.Contains(page.Text(t), "db_client_"); seen == bare {
			t.Errorf("bare=%v, and the pool is on the metrics page: %v", bare, seen)
		}
	}
}

func TestAConnectionIsReplacedAfterItsLifetimeAndThePoolStaysFull(t *testing.T) {
	cfg := config(postgrestest.New(t), 2)
	cfg.ConnectionLifetime = 30 * time.Millisecond
	pool := open(t, cfg)
	backends := map[uint32]bool{}
	postgrestest.Eventually(t, "six backends have served", func() bool {
		conn := acquire(t, pool)
		backends[conn.Conn().PgConn().PID()] = true
		conn.Release()
		return len(backends) >= 6
	})
	admin := postgrestest.Connect(t, cfg.DatabaseURL)
	if n := one(t, admin, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'orders/orders-7'`); n > 2 {
		t.Errorf("%d sessions, want the pool's 2 at most", n)
	}
}
