package pgxpooltel

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

// BenchmarkAnOrder is what the telemetry of one order costs: the calls between four services, the statements of the two
// that have a database, a log record of each, and the sending of it all, with no network between the services and no
// database. The difference between on and off is telemetry's. cpu-us/op counts what happens behind the caller's back
// too; ns/op does not.
func BenchmarkAnOrder(b *testing.B) {
	for _, on := range []bool{false, true} {
		name := map[bool]string{false: "telemetry=off", true: "telemetry=on"}[on]
		b.Run(name, func(b *testing.B) {
			services := mesh{}
			backend := startBackend(b)
			for name, calls := range map[string][]string{
				"loadgen": {"storefront"}, "storefront": {"orders"}, "orders": {"inventory", "payments", "inventory"},
				"inventory": nil, "payments": nil,
			} {
				services[name] = newProgram(b, name, calls, services, backend, on)
			}
			b.ReportAllocs()
			before := cpu(b)
			// Paced, because telemetry that cannot keep up drops, and what is dropped costs less.
			pace := time.NewTicker(4 * time.Millisecond)
			defer pace.Stop()
			for b.Loop() {
				<-pace.C
				if err := services["loadgen"].work(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			for _, service := range services {
				if err := service.tel.Shutdown(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpu(b)-before)/float64(b.N), "cpu-us/op")
		})
	}
}

// cpu is what this process has used, in microseconds.
func cpu(b *testing.B) float64 {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e3
}

// statements are those of one order, by service.
var statements = map[string][]string{
	"orders": {
		"begin", "insert into idempotency_keys (key, fingerprint) values ($1, $2) on conflict (key) do nothing",
		"select fingerprint, order_id from idempotency_keys where key = $1 for update",
		"insert into orders (id, customer, coupon, total_cents, status) values ($1, $2, $3, $4, $5)",
		"insert into order_items (order_id, sku, quantity) select $1, unnest($2::text[]), unnest($3::int[])",
		"select percent from coupons where code = $1 and expires_at > now()",
		"update orders set total_cents = $2 where id = $1",
		"update orders set authorization_id = $2, status = $3 where id = $1",
		"insert into outbox (order_id, kind, payload) values ($1, $2, $3)",
		"update idempotency_keys set order_id = $2 where key = $1",
		"select id, customer, total_cents, status from orders where id = $1", "commit",
	},
	"inventory": {
		"begin", "select state from reservations where id = $1 for update",
		"update stock set available = available - $2 where sku = $1 and available >= $2 returning price_cents", "commit",
	},
}

// program is one of the services: it answers a call, shows its statements to the hooks of its pool, and calls others.
type program struct {
	tel        *telemetry.Telemetry
	log        *slog.Logger
	handler    http.Handler
	client     *http.Client
	hooks      *tracer // nil when telemetry is off
	conn       *pgx.Conn
	statements []string
	calls      []string
}

func newProgram(b *testing.B, name string, calls []string, services mesh, backend string, on bool) *program {
	b.Helper()
	tel, err := telemetry.Start(b.Context(), telemetry.Config{
		Service: name, Instance: name + "-1", Version: "v1", LogWriter: io.Discard, Off: !on,
		TracesURL: backend, LogsURL: backend + "/otlp/v1/logs",
	})
	if err != nil {
		b.Fatal(err)
	}
	p := &program{
		tel: tel, log: tel.Logger(), client: &http.Client{Transport: tel.Transport(services)},
		conn: &pgx.Conn{}, statements: statements[name], calls: calls,
	}
	routes := chi.NewRouter()
	routes.Post("/orders", p.serve)
	p.handler = tel.Middleware(routes)
	if !tel.Enabled() {
		return p
	}
	pool, err := pgxpool.ParseConfig("postgres://127.0.0.1/orders")
	if err != nil {
		b.Fatal(err)
	}
	p.hooks, err = newTracer(Config{PoolName: name, TracerProvider: tel.TracerProvider(), MeterProvider: tel.MeterProvider()}, pool)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (p *program) serve(w http.ResponseWriter, r *http.Request) {
	if err := p.work(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.log.InfoContext(r.Context(), "order placed", "order_id", "o-17", "customer", "c-17", "total_cents", 4200)
	w.WriteHeader(http.StatusCreated)
}

func (p *program) work(ctx context.Context) error {
	if p.hooks != nil && len(p.statements) > 0 {
		waiting := p.hooks.TraceAcquireStart(ctx, nil, pgxpool.TraceAcquireStartData{})
		p.hooks.TraceAcquireEnd(waiting, nil, pgxpool.TraceAcquireEndData{Conn: p.conn})
		for _, sql := range p.statements {
			running := p.hooks.TraceQueryStart(ctx, p.conn, pgx.TraceQueryStartData{SQL: sql})
			p.hooks.TraceQueryEnd(running, p.conn, pgx.TraceQueryEndData{})
		}
		p.hooks.TraceRelease(nil, pgxpool.TraceReleaseData{Conn: p.conn})
	}
	for _, next := range p.calls {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+next+":8080/orders", strings.NewReader("{}"))
		if err != nil {
			return err
		}
		response, err := p.client.Do(request)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// mesh hands a call to the service that it is for, as a server would: with the caller's headers and none of its context.
type mesh map[string]*program

func (m mesh) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	request := &http.Request{
		Method: r.Method, URL: r.URL, Host: r.URL.Host, Header: r.Header, Body: r.Body, RemoteAddr: "127.0.0.1:40000",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	got := &answer{header: http.Header{}}
	m[r.URL.Hostname()].handler.ServeHTTP(got, request.WithContext(context.Background()))
	return &http.Response{
		StatusCode: got.status, Header: got.header, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader("{}")),
	}, nil
}

type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(p []byte) (int, error) { return len(p), nil }
func (a *answer) WriteHeader(status int)      { a.status = status }
