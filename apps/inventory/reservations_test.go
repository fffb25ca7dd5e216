package inventory_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/database"
	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/inventory"
)

type world struct {
	*inventory.Postgres
	pool  *database.Pool
	admin *pgx.Conn
	page  metrictest.Page
}

func newWorld(t *testing.T, ttl time.Duration) world {
	t.Helper()
	migrations, err := inventory.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	url, page := postgrestest.New(t), metrictest.New(t)
	pool, err := database.Open(context.Background(), database.Config{
		Flags: database.Flags{
			DatabaseURL: url, PoolMax: 6, AcquireTimeout: 10 * time.Second, ConnectionLifetime: time.Hour, DatabaseWait: 5 * time.Second,
		},
		Workload: "inventory", Instance: "inventory-1", Migrations: migrations,
		TracerProvider: page.TracerProvider(), MeterProvider: page.MeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close(context.Background()) })
	store, err := inventory.NewPostgres(inventory.PostgresConfig{Pool: pool, TTL: ttl, MeterProvider: page.MeterProvider()})
	if err != nil {
		t.Fatal(err)
	}
	return world{Postgres: store, pool: pool, admin: postgrestest.Connect(t, url), page: page}
}

func (w world) setStock(t *testing.T, sku string, stock int64) {
	t.Helper()
	if _, err := w.admin.Exec(context.Background(), `UPDATE products SET stock = $2 WHERE sku = $1`, sku, stock); err != nil {
		t.Fatal(err)
	}
}

func (w world) stock(t *testing.T, sku string) int64 {
	t.Helper()
	product, err := w.Product(context.Background(), sku)
	if err != nil {
		t.Fatal(err)
	}
	return product.Stock
}

func (w world) sweep(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		_ = inventory.Sweeper{Expirer: w, Log: slog.New(slog.DiscardHandler), Tick: 5 * time.Millisecond}.Run(ctx)
	})
	t.Cleanup(func() { cancel(); running.Wait() })
}

func wanted(id string, items ...inventory.Item) inventory.Reservation {
	return inventory.Reservation{ID: id, Items: items}
}

func TestTheCatalogueHasFiftyProducts(t *testing.T) {
	w := newWorld(t, time.Minute)
	products, err := w.Products(context.Background())
	if err != nil || len(products) != 50 || products[0].SKU != "SKU-0001" || products[49].SKU != "SKU-0050" {
		t.Errorf("got %d products (%v)", len(products), err)
	}
	if _, err := w.Product(context.Background(), "SKU-9999"); !apierror.Is(err, apierror.NotFound) {
		t.Errorf("an unknown product: %v, want not_found", err)
	}
}

// One life of a reservation after the other: each step's code, and the stock (10 at first, 4 wanted) after it.
func TestTheLivesOfAReservation(t *testing.T) {
	const sku = "SKU-0007"
	reserve := func(w world) error {
		_, err := w.Reserve(context.Background(), wanted("r", inventory.Item{SKU: sku, Quantity: 4}))
		return err
	}
	commit := func(w world) error { return w.Commit(context.Background(), "r") }
	release := func(w world) error { return w.Release(context.Background(), "r") }
	expire := func(w world) error {
		if _, err := w.admin.Exec(context.Background(), `UPDATE reservations SET expires_at = now() - interval '1s'`); err != nil {
			return err
		}
		_, err := w.Expire(context.Background(), 10)
		return err
	}
	sellOut := func(w world) error {
		_, err := w.admin.Exec(context.Background(), `UPDATE products SET stock = 0`)
		return err
	}
	type step struct {
		act   func(world) error
		code  apierror.Code // empty for success
		stock int64
	}
	tests := map[string][]step{
		"committed, however often":                  {{reserve, "", 6}, {commit, "", 6}, {commit, "", 6}, {release, apierror.Conflict, 6}, {reserve, "", 6}},
		"released, however often":                   {{reserve, "", 6}, {release, "", 10}, {release, "", 10}, {commit, apierror.Conflict, 10}, {reserve, apierror.Conflict, 10}},
		"reserved twice takes the stock once":       {{reserve, "", 6}, {reserve, "", 6}, {release, "", 10}},
		"expired gives the stock back":              {{reserve, "", 6}, {expire, "", 10}, {expire, "", 10}, {release, "", 10}},
		"expired and committed takes it again":      {{reserve, "", 6}, {expire, "", 10}, {commit, "", 6}, {expire, "", 6}},
		"expired and committed without stock":       {{reserve, "", 6}, {expire, "", 10}, {sellOut, "", 0}, {commit, apierror.Conflict, 0}},
		"committed does not expire":                 {{reserve, "", 6}, {commit, "", 6}, {expire, "", 6}},
		"what was never reserved cannot be ended":   {{commit, apierror.NotFound, 10}, {release, apierror.NotFound, 10}},
		"out of stock takes nothing, and may retry": {{sellOut, "", 0}, {reserve, apierror.Unprocessable, 0}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, time.Minute)
			w.setStock(t, sku, 10)
			for i, step := range steps {
				err := step.act(w)
				if (step.code == "" && err != nil) || (step.code != "" && !apierror.Is(err, step.code)) {
					t.Errorf("step %d: %v, want %q", i+1, err, step.code)
				}
				if got := w.stock(t, sku); got != step.stock {
					t.Errorf("step %d: stock %d, want %d", i+1, got, step.stock)
				}
			}
			if n := w.pool.Acquired(); n != 0 {
				t.Errorf("%d connections are out", n)
			}
		})
	}
}

func TestASweepDoesNotWaitForAReservationThatSomebodyIsBusyWith(t *testing.T) {
	w := newWorld(t, time.Minute)
	for _, id := range []string{"busy", "free"} {
		if _, err := w.Reserve(context.Background(), wanted(id, inventory.Item{SKU: "SKU-0001", Quantity: 1})); err != nil {
			t.Fatal(err)
		}
	}
	for _, sql := range []string{
		`UPDATE reservations SET expires_at = now() - interval '1s'`, `BEGIN`, `SELECT FROM reservations WHERE id = 'busy' FOR UPDATE`,
	} {
		if _, err := w.admin.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if expired, err := w.Expire(ctx, 10); err != nil || expired != 1 {
		t.Errorf("%d expired (%v), want the one that is free", expired, err)
	}
}

func TestOneMissingProductLeavesTheOthersAlone(t *testing.T) {
	w := newWorld(t, time.Minute)
	before := w.stock(t, "SKU-0001")
	for _, sku := range []string{"SKU-0050", "UNKNOWN"} {
		w.setStock(t, "SKU-0050", 0)
		_, err := w.Reserve(context.Background(), wanted("r", inventory.Item{SKU: "SKU-0001", Quantity: 1}, inventory.Item{SKU: sku, Quantity: 1}))
		if !apierror.Is(err, apierror.Unprocessable) {
			t.Errorf("%s: %v, want unprocessable", sku, err)
		}
	}
	if after := w.stock(t, "SKU-0001"); after != before {
		t.Errorf("stock went from %d to %d", before, after)
	}
}

func TestPricesAndRepeatedItemsAddUp(t *testing.T) {
	w := newWorld(t, time.Minute)
	reserved, err := w.Reserve(context.Background(), wanted("r",
		inventory.Item{SKU: "SKU-0002", Quantity: 1}, inventory.Item{SKU: "SKU-0001", Quantity: 2}, inventory.Item{SKU: "SKU-0002", Quantity: 2}))
	if err != nil || reserved.TotalCents != 3*600+2*500 {
		t.Errorf("got %d cents (%v), want 2800", reserved.TotalCents, err)
	}
	if _, err := w.Reserve(context.Background(), wanted("r", inventory.Item{SKU: "SKU-0002", Quantity: 1})); !apierror.Is(err, apierror.Conflict) {
		t.Errorf("other items under the same id: %v, want conflict", err)
	}
}

// A few products, many buyers, carts in every sequence, ended in every way, with a sweeper about: nothing is oversold,
// nothing is lost, and nothing deadlocks.
func TestACrowdNeitherOversellsNorDeadlocks(t *testing.T) {
	w := newWorld(t, 150*time.Millisecond)
	const stock, products = 150, 5
	skus := make([]string, products)
	for i := range skus {
		skus[i] = fmt.Sprintf("SKU-%04d", i+1)
		w.setStock(t, skus[i], stock)
	}
	w.sweep(t)
	var mu sync.Mutex
	sold := map[string]int64{}
	var buyers sync.WaitGroup
	for buyer := range 16 {
		buyers.Go(func() {
			for n := range 25 {
				w.buy(t, fmt.Sprintf("r-%d-%d", buyer, n), skus, func(item inventory.Item) {
					mu.Lock()
					defer mu.Unlock()
					sold[item.SKU] += item.Quantity
				})
			}
		})
	}
	buyers.Wait()
	postgrestest.Eventually(t, "every reservation has ended", func() bool {
		var open int
		err := w.admin.QueryRow(context.Background(), `SELECT count(*) FROM reservations WHERE status = 'reserved'`).Scan(&open)
		return err == nil && open == 0
	})
	for _, sku := range skus {
		if left := w.stock(t, sku); left+sold[sku] != stock {
			t.Errorf("%s: %d left and %d sold of %d", sku, left, sold[sku], stock)
		}
	}
}

// buy reserves a cart in random sequence, then commits, releases or forgets it.
func (w world) buy(t *testing.T, id string, skus []string, sold func(inventory.Item)) {
	var cart []inventory.Item
	for _, i := range rand.Perm(len(skus))[:3] {
		cart = append(cart, inventory.Item{SKU: skus[i], Quantity: 1 + rand.Int64N(2)})
	}
	_, err := w.Reserve(context.Background(), wanted(id, cart...))
	if apierror.Is(err, apierror.Unprocessable) {
		return
	}
	if err == nil {
		switch rand.IntN(3) {
		case 0:
			if err = w.Commit(context.Background(), id); err == nil {
				for _, item := range cart {
					sold(item)
				}
			}
		case 1:
			err = w.Release(context.Background(), id)
		}
	}
	if err != nil && !apierror.Is(err, apierror.Conflict) {
		t.Errorf("%s: %v", id, err)
	}
}
