package imports_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/apps/internal/database"
	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/orders"
	"github.com/faultline-lab/faultline/apps/orders/imports"
)

// world is the API over a real database, on a pool of one connection.
type world struct {
	*imports.API
	pool  *database.Pool
	admin *pgx.Conn
	page  metrictest.Page
}

const pause = 20 * time.Millisecond

func newWorld(t *testing.T) world {
	t.Helper()
	migrations, err := orders.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	url, page := postgrestest.New(t), metrictest.New(t)
	pool, err := database.Open(t.Context(), database.Config{
		Flags:    database.Flags{DatabaseURL: url, PoolMax: 1, AcquireTimeout: time.Minute, ConnectionLifetime: time.Hour, DatabaseWait: 5 * time.Second},
		Workload: "orders", Instance: "orders-1", Migrations: migrations,
		TracerProvider: page.TracerProvider(), MeterProvider: page.MeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close(context.Background()) })
	api, err := imports.NewAPI(imports.Config{
		Store: imports.NewPostgres(pool.WithAcquireTimeout(60*time.Millisecond), pause),
		Log:   slog.New(slog.DiscardHandler), MeterProvider: page.MeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return world{API: api, pool: pool, admin: postgrestest.Connect(t, url), page: page}
}

func part(batch string, number, lines int) string {
	p := imports.Part{Batch: batch, Part: number}
	for i := range lines {
		p.Lines = append(p.Lines, imports.Line{Customer: fmt.Sprintf("m-%d", i), SKU: "SKU-0001", Quantity: 1 + i})
	}
	data, _ := json.Marshal(p)
	return string(data)
}

func (w world) send(body string) (int, string) {
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/imports", strings.NewReader(body)))
	return answer.Code, strings.TrimSpace(answer.Body.String())
}

func (w world) lines(t *testing.T) (n int) {
	t.Helper()
	if err := w.admin.QueryRow(t.Context(), `SELECT count(*) FROM imported_lines`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAPartIsWrittenOnceHoweverOftenItIsSent(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		if status, text := w.send(part("nightly", 3, 25)); status != http.StatusAccepted || text != `{"accepted":25}` {
			t.Fatalf("%d %s", status, text)
		}
	}
	if n := w.lines(t); n != 25 {
		t.Errorf("%d lines, want 25", n)
	}
	var sum int
	err := w.admin.QueryRow(t.Context(), `SELECT sum(quantity) FROM imported_lines
		WHERE customer = 'm-' || (line - 1) AND quantity = line AND sku = 'SKU-0001' AND batch = 'nightly' AND part = 3`).Scan(&sum)
	if err != nil || sum != 25*26/2 {
		t.Errorf("quantities add up to %d (%v), want each line as it was sent", sum, err)
	}
	if status, _ := w.send(part("nightly", 4, 5)); status != http.StatusAccepted || w.lines(t) != 30 {
		t.Errorf("another part: %d, %d lines in all", status, w.lines(t))
	}
	w.page.Expect(t, map[string]float64{
		`orders_import_parts_total{result="accepted"}`: 2, `orders_import_parts_total{result="repeated"}`: 2,
		`orders_import_parts_total{result="failed"}`: 0,
	})
}

func TestAPartThatChangedUnderItsNameIsRefused(t *testing.T) {
	w := newWorld(t)
	w.send(part("nightly", 1, 5))
	if status, text := w.send(part("nightly", 1, 6)); status != http.StatusConflict || w.lines(t) != 5 {
		t.Errorf("%d %s, %d lines", status, text, w.lines(t))
	}
}

func TestAPartHoldsItsConnectionWhileItPauses(t *testing.T) {
	w := newWorld(t)
	begun := time.Now()
	w.send(part("nightly", 1, 100))
	if took := time.Since(begun); took < 9*pause {
		t.Errorf("100 lines took %s, want 9 pauses of %s between 10 chunks", took, pause)
	}
	if n := w.pool.Acquired(); n != 0 {
		t.Errorf("%d connections are out afterwards", n)
	}
}

func TestASenderGivesUpSoonWhenThePoolIsFullAndNothingIsWritten(t *testing.T) {
	w := newWorld(t)
	held, err := w.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	status, text := w.send(part("nightly", 1, 5))
	if took := time.Since(begun); status != http.StatusServiceUnavailable || took > 10*time.Second {
		t.Errorf("%d %s after %s, want 503 soon although the pool's other callers wait a minute", status, text, took)
	}
	held.Release()
	if n := w.lines(t); n != 0 {
		t.Errorf("%d lines", n)
	}
	w.page.Expect(t, map[string]float64{
		`orders_import_parts_total{result="unavailable"}`: 1,
		// It is a timeout like any other to whoever watches the pool: that is why a batch looks like a fault.
		`db_client_connection_timeouts_total{db_client_connection_pool_name="orders"}`: 1,
	})
}

func TestASenderThatGoesAwayLeavesNothingBehind(t *testing.T) {
	w := newWorld(t)
	ctx, leave := context.WithCancel(t.Context())
	time.AfterFunc(2*pause, leave)
	w.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodPost, "/imports", strings.NewReader(part("nightly", 1, 500))))
	postgrestest.Eventually(t, "no connection is out", func() bool { return w.pool.Acquired() == 0 })
	if n := w.lines(t); n != 0 {
		t.Errorf("%d lines of a part that was broken off", n)
	}
}

func TestPartsThatCannotBeTaken(t *testing.T) {
	w := newWorld(t)
	for body, want := range map[string]int{
		`{`:                                 400,
		`{"batch":"b","part":1,"lines":[]}`: 400,
		`{"batch":"","part":1,"lines":[{"customer":"c","sku":"s","quantity":1}]}`:        400,
		`{"batch":"b","part":0,"lines":[{"customer":"c","sku":"s","quantity":1}]}`:       400,
		`{"batch":"b","part":1,"lines":[{"customer":"c","sku":"s","quantity":0}]}`:       400,
		`{"batch":"b","part":1,"lines":[{"customer":"","sku":"s","quantity":1}]}`:        400,
		`{"batch":"b\u0000","part":1,"lines":[{"customer":"c","sku":"s","quantity":1}]}`: 400,
		part("b", 1, 501): 400,
		`{"batch":"` + strings.Repeat("x", 70_000) + `"}`: 413,
	} {
		if status, text := w.send(body); status != want || !strings.Contains(text, `"message"`) {
			t.Errorf("%.80s: %d %s, want %d", body, status, text, want)
		}
	}
}
