package loyalty_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/apps/internal/database"
	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/orders"
	"github.com/faultline-lab/faultline/apps/orders/loyalty"
)

// shop is a stock that has everything at one price, and a bank that pays.
type shop struct{ priceCents int64 }

func (s *shop) Reserve(context.Context, string, []orders.Item) (int64, error) {
	return s.priceCents, nil
}
func (*shop) Release(context.Context, string) error                           { return nil }
func (*shop) Authorize(context.Context, string, orders.Order) (string, error) { return "auth", nil }

type world struct {
	*orders.Placement
	shop  *shop
	pool  *database.Pool
	admin *pgx.Conn
}

const poolMax = 4

func newWorld(t *testing.T) world {
	t.Helper()
	migrations, err := orders.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	url, page := postgrestest.New(t), metrictest.New(t)
	pool, err := database.Open(t.Context(), database.Config{
		Flags:    database.Flags{DatabaseURL: url, PoolMax: poolMax, AcquireTimeout: 50 * time.Millisecond, ConnectionLifetime: time.Hour, DatabaseWait: 5 * time.Second},
		Workload: "orders", Instance: "orders-1", Migrations: migrations,
		TracerProvider: page.TracerProvider(), MeterProvider: page.MeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close(context.Background()) })
	ledger, err := loyalty.New(orders.ExtensionConfig{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	w := world{shop: &shop{}, pool: pool, admin: postgrestest.Connect(t, url)}
	w.Placement, err = orders.NewPlacement(orders.PlacementConfig{
		Store: orders.NewPostgres(pool), Stock: w.shop, Payments: w.shop, Log: slog.New(slog.DiscardHandler),
		MeterProvider: page.MeterProvider(), Extensions: []orders.Extension{ledger},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// order places one of that price, under the key.
func (w world) order(t *testing.T, key string, cents int64) error {
	t.Helper()
	w.shop.priceCents = cents
	_, err := w.Place(t.Context(), orders.Request{
		IdempotencyKey: key, Customer: "c-17", Items: []orders.Item{{SKU: "SKU-0001", Quantity: 1}},
	})
	return err
}

func (w world) points(t *testing.T) (sum int64) {
	t.Helper()
	if err := w.admin.QueryRow(t.Context(), `SELECT coalesce(sum(points), 0) FROM loyalty_credits WHERE customer = 'c-17'`).Scan(&sum); err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestPointsAreEarnedOnceForEachOrder(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		if err := w.order(t, "k", 1250); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.points(t); got != 12 {
		t.Errorf("%d points for one order of 12.50, want 12", got)
	}
	if err := w.order(t, "premium", 5000); err != nil {
		t.Fatal(err)
	}
	if got := w.points(t); got != 12+100 {
		t.Errorf("%d points with one of 50.00, want it to earn twice", got)
	}
}

func TestOrdinaryOrdersEarnNoMoreThanTheLimitOfADay(t *testing.T) {
	w := newWorld(t)
	_, err := w.admin.Exec(t.Context(), `INSERT INTO loyalty_credits (order_id, customer, points, created_at) VALUES
		(gen_random_uuid(), 'c-17', 995, now()), (gen_random_uuid(), 'c-17', 700, now() - interval '2 days')`)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int64{"first": 1000, "second": 1000} {
		if err := w.order(t, key, 1250); err != nil {
			t.Fatal(err)
		}
		if got := w.points(t) - 700; got != want {
			t.Errorf("%d points of today after the %s order, want %d", got, key, want)
		}
	}
}

// The bug of docs/faults/bad-release.md must be there, on what ordinary customers order, and must be the only one.
func TestOnlyAnOrderOf45AndMoreLosesAConnectionAndExactlyOne(t *testing.T) {
	w := newWorld(t)
	for range 3 * poolMax {
		if err := w.order(t, uuid.NewString(), 4499); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.pool.Acquired(); n != 0 {
		t.Fatalf("%d connections are out after orders below 45.00", n)
	}
	for lost := 1; lost <= poolMax; lost++ {
		if err := w.order(t, uuid.NewString(), 4500); err != nil {
			t.Fatalf("the customer was refused: %v", err)
		}
		if n := int(w.pool.Acquired()); n != lost {
			t.Fatalf("%d connections are out after %d orders of 45.00", n, lost)
		}
	}
	if err := w.order(t, uuid.NewString(), 500); err == nil {
		t.Error("an order was placed although every connection is lost")
	}
}

func TestAnOrderStandsAlthoughItsPointsCouldNotBeCredited(t *testing.T) {
	w := newWorld(t)
	if _, err := w.admin.Exec(t.Context(), `DROP TABLE loyalty_credits`); err != nil {
		t.Fatal(err)
	}
	if err := w.order(t, "k", 500); err != nil {
		t.Errorf("got %v", err)
	}
	if n := w.pool.Acquired(); n != 0 {
		t.Errorf("%d connections are out", n)
	}
}
