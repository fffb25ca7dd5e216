package pgxpooltel_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/faultline-lab/faultline/observability/pgxpooltel"
)

var databases atomic.Int64

// newDatabase makes a database of its own on the real Postgres, and returns its URL.
func newDatabase(t *testing.T) string {
	t.Helper()
	server := os.Getenv("FAULTLINE_TEST_POSTGRES_URL")
	if server == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("FAULTLINE_TEST_POSTGRES_URL is not set: it is the superuser URL of a throwaway Postgres")
		}
		t.Skip("NOT TESTED: the pool's metrics and spans against a real Postgres. `make test` provides one, " +
			"or set FAULTLINE_TEST_POSTGRES_URL to the superuser URL of a throwaway server.")
	}
	name := fmt.Sprintf("pgxpooltel_%d_%d", os.Getpid(), databases.Add(1))
	admin(t, server, "create database "+name)
	t.Cleanup(func() { admin(t, server, "drop database "+name+" with (force)") })
	address, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	address.Path = "/" + name
	return address.String()
}

func admin(t *testing.T, server, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatal(err)
	}
}

// observed is a pool with everything that it reported.
type observed struct {
	*pgxpool.Pool
	reader *sdkmetric.ManualReader
	spans  *tracetest.SpanRecorder
	tracer *sdktrace.TracerProvider
}

// newPool makes an observed pool of so many connections; change may change its configuration.
func newPool(t *testing.T, database string, size int32, change func(*pgxpool.Config)) *observed {
	t.Helper()
	cfg, err := pgxpool.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	cfg.MaxConns = size
	if change != nil {
		change(cfg)
	}
	o := &observed{reader: sdkmetric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	o.tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(o.spans))
	o.Pool, err = pgxpooltel.NewPool(t.Context(), cfg, pgxpooltel.Config{
		PoolName: "orders", TracerProvider: o.tracer,
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeBounded(o.Pool) })
	return o
}

// closeBounded closes a pool, but does not wait for connections that a test has leaked.
func closeBounded(pool *pgxpool.Pool) {
	closed := make(chan struct{})
	go func() { defer close(closed); pool.Close() }()
	select {
	case <-closed:
	case <-time.After(2 * time.Second):
	}
}

// point is one series as read: of a histogram, value is the count.
type point struct {
	value     float64
	sum       float64
	exemplars []string // trace id/span id
}

// read collects the pool's metrics now. A key is the metric's name without its prefix, with the value of the one
// label beside the pool's name: "count{idle}".
func (o *observed) read(t *testing.T) map[string]point {
	t.Helper()
	var collected metricdata.ResourceMetrics
	if err := o.reader.Collect(context.Background(), &collected); err != nil {
		t.Fatal(err)
	}
	points := map[string]point{}
	for _, scope := range collected.ScopeMetrics {
		for _, metric := range scope.Metrics {
			switch data := metric.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					points[key(t, metric.Name, p.Attributes)] = point{value: float64(p.Value), exemplars: traces(p.Exemplars)}
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					points[key(t, metric.Name, p.Attributes)] = point{
						value: float64(p.Count), sum: p.Sum, exemplars: traces(p.Exemplars),
					}
				}
			default:
				t.Fatalf("%s is a %T", metric.Name, data)
			}
		}
	}
	return points
}

func key(t *testing.T, name string, labels attribute.Set) string {
	t.Helper()
	var others []string
	for _, label := range labels.ToSlice() {
		switch label.Key {
		case "db.client.connection.pool.name":
			if label.Value.AsString() != "orders" {
				t.Errorf("%s is of pool %q", name, label.Value.AsString())
			}
		default:
			others = append(others, label.Value.AsString())
		}
	}
	name = strings.TrimPrefix(name, "db.client.connection.")
	if len(others) == 0 {
		return name
	}
	return name + "{" + strings.Join(others, ",") + "}"
}

func traces[N int64 | float64](exemplars []metricdata.Exemplar[N]) []string {
	var ids []string
	for _, exemplar := range exemplars {
		ids = append(ids, fmt.Sprintf("%x/%x", exemplar.TraceID, exemplar.SpanID))
	}
	return ids
}

// is checks the values of some series; one that is not there is no zero.
func (o *observed) is(t *testing.T, when string, want map[string]float64) {
	t.Helper()
	points := o.read(t)
	for name, value := range want {
		if got, ok := points[name]; !ok || got.value != value {
			t.Errorf("%s: %s is %v (there: %v), want %v", when, name, got.value, ok, value)
		}
	}
}

// ended lists the finished spans of a name.
func (o *observed) ended(name string) []sdktrace.ReadOnlySpan {
	var found []sdktrace.ReadOnlySpan
	for _, span := range o.spans.Ended() {
		if span.Name() == name {
			found = append(found, span)
		}
	}
	return found
}

// eventually waits for a condition, with a bound that only a broken program reaches.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}
