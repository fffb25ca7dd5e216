package database_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/apps/internal/database"
	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
)

const (
	tripCount = `db_client_round_trip_duration_seconds_count{db_client_connection_pool_name="orders"}`
	tripSum   = `db_client_round_trip_duration_seconds_sum{db_client_connection_pool_name="orders"}`
)

// probing is a probe that runs until the test ends, or until stop.
type probing struct {
	metrictest.Page
	log  *lockedText
	stop func()
}

func startProbe(t *testing.T, databaseURL string) probing {
	t.Helper()
	page, log := metrictest.New(t), &lockedText{}
	probe, err := database.NewProbe(database.ProbeConfig{
		Flags: database.Flags{DatabaseURL: databaseURL, PoolMax: 1}, Workload: "orders", Instance: "orders-7",
		Registerer: page.Registerer(), Log: slog.New(slog.NewTextHandler(log, nil)),
		Tick: 10 * time.Millisecond, Timeout: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := page.Value(t, tripCount); n != 0 {
		t.Errorf("%v round trips before the first", n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = probe.Run(ctx) })
	p := probing{page, log, func() { cancel(); running.Wait() }}
	t.Cleanup(p.stop)
	return p
}

// more waits for further round trips.
func (p probing) more(t *testing.T) {
	t.Helper()
	before := p.Value(t, tripCount)
	postgrestest.Eventually(t, "round trips are measured", func() bool { return p.Value(t, tripCount) >= before+3 })
}

const probeSessions = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'orders-probe/orders-7'`

func one(t *testing.T, conn *pgx.Conn, sql string) (n int) {
	t.Helper()
	if err := conn.QueryRow(context.Background(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRoundTripsAreMeasuredOnOneConnectionWhichIsNoneOfThePool(t *testing.T) {
	url := postgrestest.New(t)
	pool := open(t, config(url, 2))
	acquire(t, pool)
	acquire(t, pool)
	p := startProbe(t, url)
	p.more(t) // although the pool has nothing left
	admin := postgrestest.Connect(t, url)
	if n := one(t, admin, probeSessions); n != 1 {
		t.Errorf("%d sessions of the probe, want one", n)
	}
	if n := one(t, admin, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND split_part(application_name, '/', 1) = 'orders'`); n != 2 {
		t.Errorf("%d sessions are of orders, want those of the pool", n)
	}
	p.stop()
	postgrestest.Eventually(t, "its session has ended", func() bool { return one(t, admin, probeSessions) == 0 })
	if text := p.log.String(); text != "" {
		t.Errorf("it ended with words: %s", text)
	}
}

func TestAProbeThatLosesItsConnectionMakesAnother(t *testing.T) {
	url := postgrestest.New(t)
	p := startProbe(t, url)
	p.more(t)
	admin := postgrestest.Connect(t, url)
	one(t, admin, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'orders-probe/orders-7'`)
	postgrestest.Eventually(t, "it is said", func() bool { return strings.Contains(p.log.String(), "not measured") })
	p.more(t)
	if n := strings.Count(p.log.String(), "not measured"); n != 1 {
		t.Errorf("said %d times:\n%s", n, p.log)
	}
}

func TestTheProbeSeesASlowWay(t *testing.T) {
	way := newWay(t, postgrestest.New(t))
	p := startProbe(t, way.url)
	p.more(t)
	way.delay.Store(int64(30 * time.Millisecond))
	p.more(t) // those that were under way
	count, sum := p.Value(t, tripCount), p.Value(t, tripSum)
	p.more(t)
	mean := (p.Value(t, tripSum) - sum) / (p.Value(t, tripCount) - count)
	if mean < 0.060 || mean > 0.25 {
		t.Errorf("a way that takes 30 ms longer in each direction has round trips of %.3f s", mean)
	}
}

func TestAWayThatSwallowsEverythingCountsWithTheTimeout(t *testing.T) {
	way := newWay(t, postgrestest.New(t))
	p := startProbe(t, way.url)
	p.more(t)
	way.delay.Store(int64(time.Hour))
	postgrestest.Eventually(t, "one of at least the timeout was counted", func() bool { return p.Value(t, tripSum) >= 0.3 })
	way.delay.Store(0)
	p.more(t)
}

// way is a TCP proxy that can be slow.
type way struct {
	url   string
	delay atomic.Int64 // of each piece, in nanoseconds
}

func newWay(t *testing.T, target string) *way {
	t.Helper()
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	server := parsed.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	parsed.Host = listener.Addr().String()
	w := &way{url: parsed.String()}
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", server)
			if err != nil {
				from.Close()
				continue
			}
			go w.pass(to, from)
			go w.pass(from, to)
		}
	}()
	return w
}

func (w *way) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			for begun := time.Now(); time.Since(begun) < time.Duration(w.delay.Load()); {
				time.Sleep(time.Millisecond)
			}
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// lockedText is a log that is read while it is written.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

var _ io.Writer = (*lockedText)(nil)

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
