package reports_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/database"
	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/orders"
	"github.com/faultline-lab/faultline/apps/orders/reports"
)

// world is the reports over a real database, on a pool of one connection.
type world struct {
	*reports.Postgres
	pool  *database.Pool
	admin *pgx.Conn
}

func newWorld(t *testing.T, pause time.Duration) world {
	t.Helper()
	migrations, err := orders.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	url, page := postgrestest.New(t), metrictest.New(t)
	pool, err := database.Open(t.Context(), database.Config{
		Flags:    database.Flags{DatabaseURL: url, PoolMax: 1, AcquireTimeout: 5 * time.Second, ConnectionLifetime: time.Hour, DatabaseWait: 5 * time.Second},
		Workload: "orders", Instance: "orders-1", Migrations: migrations,
		TracerProvider: page.TracerProvider(), MeterProvider: page.MeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close(context.Background()) })
	return world{Postgres: reports.NewPostgres(pool, pause), pool: pool, admin: postgrestest.Connect(t, url)}
}

func (w world) order(t *testing.T, cents int64, daysAgo int) {
	t.Helper()
	_, err := w.admin.Exec(t.Context(), `INSERT INTO orders (id, customer, items, status, total_cents, created_at)
		VALUES (gen_random_uuid(), 'c', '[]', 'confirmed', $1, now() - $2 * interval '24 h')`, cents, daysAgo)
	if err != nil {
		t.Fatal(err)
	}
}

func (w world) ask(ctx context.Context, query string) (int, reports.Revenue) {
	answer := httptest.NewRecorder()
	reports.Handler(w, slog.New(slog.DiscardHandler)).ServeHTTP(answer,
		httptest.NewRequestWithContext(ctx, http.MethodGet, "/reports/revenue"+query, nil))
	var revenue reports.Revenue
	_ = json.Unmarshal(answer.Body.Bytes(), &revenue)
	return answer.Code, revenue
}

func TestTheRevenueOfEachDayWithThoseOnWhichNothingWasSold(t *testing.T) {
	w := newWorld(t, 0)
	w.order(t, 500, 0)
	w.order(t, 700, 0)
	w.order(t, 900, 2)
	w.order(t, 10_000, 30)
	status, got := w.ask(t.Context(), "?days=4")
	if status != http.StatusOK || len(got.Days) != 4 || got.TotalCents != 2100 {
		t.Fatalf("%d %+v", status, got)
	}
	for i, want := range []reports.Day{{Orders: 2, RevenueCents: 1200}, {}, {Orders: 1, RevenueCents: 900}, {}} {
		want.Day = time.Now().UTC().AddDate(0, 0, -i).Format(time.DateOnly)
		if got.Days[i] != want {
			t.Errorf("day %d: %+v, want %+v", i, got.Days[i], want)
		}
	}
	if status, month := w.ask(t.Context(), ""); status != http.StatusOK || len(month.Days) != 30 {
		t.Errorf("%d, %d days, want a month", status, len(month.Days))
	}
	for _, query := range []string{"?days=0", "?days=121", "?days=-1", "?days=x"} {
		if status, _ := w.ask(t.Context(), query); status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, status)
		}
	}
}

func TestAReportTakesAPauseForEachDay(t *testing.T) {
	w := newWorld(t, 20*time.Millisecond)
	begun := time.Now()
	if status, _ := w.ask(t.Context(), "?days=20"); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if took := time.Since(begun); took < 20*20*time.Millisecond {
		t.Errorf("took %s, want 20 pauses", took)
	}
}

// running starts a report that would last an hour and returns, once the server runs it, where its end will be told and the
// backend's pid.
func (w world) running(ctx context.Context, t *testing.T) (ended chan error, pid int) {
	t.Helper()
	ended = make(chan error, 1)
	go func() {
		_, err := w.Revenue(ctx, reports.MaxDays)
		ended <- err
	}()
	postgrestest.Eventually(t, "the server runs the report", func() bool {
		return w.admin.QueryRow(context.Background(), `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
			AND application_name = 'orders/orders-1' AND state = 'active' AND query LIKE '%generate_series%'`).Scan(&pid) == nil
	})
	return ended, pid
}

func TestAReportThatIsCancelledInTheDatabaseGivesItsConnectionBack(t *testing.T) {
	w := newWorld(t, 30*time.Second)
	ended, pid := w.running(t.Context(), t)
	if _, err := w.admin.Exec(t.Context(), `SELECT pg_cancel_backend($1)`, pid); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !apierror.Is(err, apierror.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	conn, err := w.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if got := int(conn.Conn().PgConn().PID()); got != pid {
		t.Errorf("the pool has backend %d now, want %d back: cancelling a query ends no session", got, pid)
	}
}

func TestADrainEndsTheReportsThatRunAndLetsNoneBegin(t *testing.T) {
	w := newWorld(t, 30*time.Second)
	ended, pid := w.running(t.Context(), t)
	w.Drain()
	if err := <-ended; !apierror.Is(err, apierror.Unavailable) {
		t.Errorf("the one that ran: %v, want unavailable", err)
	}
	if _, err := w.Revenue(t.Context(), 1); err == nil {
		t.Error("another one began")
	}
	w.gone(t, pid)
}

func TestAReaderThatGoesAwayEndsTheStatement(t *testing.T) {
	w := newWorld(t, 30*time.Second)
	ctx, leave := context.WithCancel(t.Context())
	ended, pid := w.running(ctx, t)
	leave()
	<-ended
	w.gone(t, pid)
}

func (w world) gone(t *testing.T, pid int) {
	t.Helper()
	postgrestest.Eventually(t, "the server no longer runs the report", func() bool {
		var n int
		err := w.admin.QueryRow(context.Background(), `SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active'`, pid).Scan(&n)
		return err == nil && n == 0
	})
}
