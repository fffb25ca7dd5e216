package pgxpooltel_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/faultline-lab/faultline/observability/pgxpooltel"
)

func within(t *testing.T, bound time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	t.Cleanup(cancel)
	return ctx
}

func acquire(t *testing.T, pool *observed) *pgxpool.Conn {
	t.Helper()
	conn, err := pool.Acquire(within(t, 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestAPoolWithoutNameOrProvidersIsRefused(t *testing.T) {
	pool, err := pgxpool.ParseConfig("postgres://127.0.0.1/nowhere")
	if err != nil {
		t.Fatal(err)
	}
	whole := pgxpooltel.Config{PoolName: "orders", TracerProvider: tracenoop.NewTracerProvider(), MeterProvider: noop.NewMeterProvider()}
	nameless, blind, dumb := whole, whole, whole
	nameless.PoolName, blind.TracerProvider, dumb.MeterProvider = "", nil, nil
	for name, cfg := range map[string]pgxpooltel.Config{"no name": nameless, "no tracer": blind, "no meter": dumb} {
		if made, err := pgxpooltel.NewPool(t.Context(), pool, cfg); err == nil {
			made.Close()
			t.Errorf("%s: NewPool did not complain", name)
		}
	}
	if _, err := pgxpooltel.NewPool(t.Context(), nil, whole); err == nil {
		t.Error("NewPool without a configuration did not complain")
	}
}

func TestEverySeriesThatAlertsUseIsThereFromTheStart(t *testing.T) {
	pool := newPool(t, newDatabase(t), 3, func(c *pgxpool.Config) { c.MinIdleConns = 0 })
	pool.is(t, "before the first Acquire", map[string]float64{
		"count{idle}": 0, "count{used}": 0, "max": 3, "idle.min": 0, "idle.max": 3, "pending_requests": 0,
		"timeouts": 0, "create_failures{53300}": 0, "create_failures{unreachable}": 0,
	})
}

func TestABorrowedConnectionIsUsedAndAReturnedOneIdle(t *testing.T) {
	pool := newPool(t, newDatabase(t), 3, nil)
	first, second := acquire(t, pool), acquire(t, pool)
	pool.is(t, "two borrowed", map[string]float64{"count{used}": 2, "count{idle}": 0, "wait_time": 2, "create_time": 2})
	first.Release()
	first.Release() // pgxpool allows a second Release; it must not be counted
	pool.is(t, "one returned", map[string]float64{"count{used}": 1, "count{idle}": 1, "use_time": 1})
	second.Release()
	pool.is(t, "both returned", map[string]float64{"count{used}": 0, "count{idle}": 2, "use_time": 2, "timeouts": 0})
}

func TestATotalLeakShowsInEverythingButUseTime(t *testing.T) {
	pool := newPool(t, newDatabase(t), 2, nil)
	acquire(t, pool).Release() // one honest use, so that use_time exists and could go on
	for range 2 {
		acquire(t, pool) // never released
	}
	const callers = 5
	failed := make(chan error)
	for range callers {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
			defer cancel()
			_, err := pool.Acquire(ctx)
			failed <- err
		}()
	}
	eventually(t, "all callers to wait", func() bool { return pool.read(t)["pending_requests"].value == callers })
	for range callers {
		if err := <-failed; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Acquire of a leaked pool: %v", err)
		}
	}
	pool.is(t, "leaked", map[string]float64{
		"timeouts": callers, "count{used}": 2, "count{idle}": 0, "max": 2, "pending_requests": 0, "use_time": 1, "wait_time": 3,
	})

	spans := pool.ended("pool.acquire")
	var links []string
	for _, span := range spans {
		if span.Status().Code == codes.Error {
			links = append(links, fmt.Sprintf("%s/%s", span.SpanContext().TraceID(), span.SpanContext().SpanID()))
		}
	}
	if len(links) != callers {
		t.Fatalf("%d of the spans say error, want %d", len(links), callers)
	}
	exemplars := pool.read(t)["timeouts"].exemplars
	if len(exemplars) == 0 || !slices.Contains(links, exemplars[0]) {
		t.Errorf("the exemplars of timeouts %v lead to none of the failed waits %v", exemplars, links)
	}
}

func TestACallerThatGoesAwayIsNoTimeout(t *testing.T) {
	pool := newPool(t, newDatabase(t), 1, nil)
	held := acquire(t, pool)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { _, err := pool.Acquire(ctx); gone <- err }()
	eventually(t, "the caller to wait", func() bool { return pool.read(t)["pending_requests"].value == 1 })
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatalf("Acquire with a cancelled context: %v", err)
	}
	held.Release()
	pool.is(t, "after the cancellation", map[string]float64{"timeouts": 0, "pending_requests": 0, "count{used}": 0, "count{idle}": 1})
}

func TestAConnectionDestroyedByACancelledQueryIsNeitherUsedNorIdle(t *testing.T) {
	pool := newPool(t, newDatabase(t), 1, nil)
	conn := acquire(t, pool)
	if _, err := conn.Exec(within(t, 100*time.Millisecond), "select pg_sleep(30)"); err == nil {
		t.Fatal("a statement of 30 s ended in 100 ms")
	}
	conn.Release()
	pool.is(t, "after the cancelled query", map[string]float64{"count{used}": 0, "count{idle}": 0, "use_time": 1})
	if span := pool.ended("SELECT")[0]; span.Status().Code != codes.Error {
		t.Errorf("the cancelled statement's span has status %v", span.Status())
	}
}

func TestAFullServerIsCountedByItsSQLState(t *testing.T) {
	database := newDatabase(t)
	// A database's own limit is refused with the same SQLSTATE as max_connections, and concerns no other test. It
	// does not hold for superusers, so a role of lesser standing connects.
	role := fmt.Sprintf("pgxpooltel_%d", time.Now().UnixNano())
	admin(t, database, "create role "+role+" login connection limit 0 password 'x'")
	t.Cleanup(func() { admin(t, database, "drop role "+role) })
	pool := newPool(t, database, 2, func(c *pgxpool.Config) { c.ConnConfig.User, c.ConnConfig.Password = role, "x" })

	if _, err := pool.Acquire(within(t, 20*time.Second)); err == nil {
		t.Fatal("a full server took a connection")
	}
	points := pool.read(t)
	if points["create_failures{53300}"].value < 1 || points["create_failures{unreachable}"].value != 0 {
		t.Errorf("create_failures: %v", points)
	}
	pool.is(t, "refused", map[string]float64{"timeouts": 0, "count{used}": 0, "count{idle}": 0, "pending_requests": 0})
	if _, ok := points["wait_time"]; ok {
		t.Error("wait_time counts a wait that brought nothing")
	}
	connect := pool.ended("pool.connect")[0]
	if connect.Status().Code != codes.Error || !hasAttribute(connect.Attributes(), "db.response.status_code", "53300") {
		t.Errorf("pool.connect: %v %v", connect.Status(), connect.Attributes())
	}
	if parent := pool.ended("pool.acquire")[0]; connect.Parent().SpanID() != parent.SpanContext().SpanID() {
		t.Error("pool.connect does not hang below the pool.acquire that asked for it")
	}
}

func TestAServerThatDoesNotAnswerIsUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	pool := newPool(t, "postgres://nobody@"+address+"/nowhere?sslmode=disable", 2, nil)
	if _, err := pool.Acquire(within(t, 20*time.Second)); err == nil {
		t.Fatal("nobody answered, and yet there is a connection")
	}
	pool.is(t, "refused", map[string]float64{"create_failures{unreachable}": 1, "create_failures{53300}": 0, "timeouts": 0})
}

func TestATracerThatWasThereBeforeGoesOnBeingCalled(t *testing.T) {
	theirs := &counting{}
	pool := newPool(t, newDatabase(t), 1, func(c *pgxpool.Config) { c.ConnConfig.Tracer = theirs })
	if _, err := pool.Exec(t.Context(), "select 1"); err != nil {
		t.Fatal(err)
	}
	if theirs.queries != 1 {
		t.Errorf("their tracer saw %d statements", theirs.queries)
	}
	pool.is(t, "after a statement", map[string]float64{"wait_time": 1, "use_time": 1})
}

func TestTheCallersConfigurationIsLeftAsItWas(t *testing.T) {
	cfg, err := pgxpool.ParseConfig("postgres://127.0.0.1:1/nowhere")
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpooltel.NewPool(t.Context(), cfg, pgxpooltel.Config{
		PoolName: "orders", TracerProvider: tracenoop.NewTracerProvider(), MeterProvider: noop.NewMeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if cfg.ConnConfig.Tracer != nil {
		t.Error("NewPool set its tracer on the caller's configuration")
	}
}

// counting is somebody else's tracer.
type counting struct{ queries int }

func (c *counting) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.queries++
	return ctx
}

func (c *counting) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
