package orders_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/apps/internal/database"
	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/orders"
)

// shelf is the stock, so that a test can count and refuse.
type shelf struct {
	mu        sync.Mutex
	reserve   func(ctx context.Context) error // asked before a reservation is made
	commit    func(id string) error
	reserved  []string
	released  []string
	committed map[string]int
}

func (s *shelf) Reserve(ctx context.Context, id string, items []orders.Item) (int64, error) {
	s.mu.Lock()
	s.reserved = append(s.reserved, id)
	s.mu.Unlock()
	if s.reserve != nil {
		if err := s.reserve(ctx); err != nil {
			return 0, err
		}
	}
	return int64(1000 * len(items)), nil
}

func (s *shelf) Release(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("released with a context that has ended: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released = append(s.released, id)
	return nil
}

func (s *shelf) Commit(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.commit != nil {
		if err := s.commit(id); err != nil {
			return err
		}
	}
	if s.committed == nil {
		s.committed = map[string]int{}
	}
	s.committed[id]++
	return nil
}

func (s *shelf) counts() (reserved, released, committed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.reserved), len(s.released), len(s.committed)
}

// bank is the payments, so that a test can count, refuse and dawdle.
type bank struct {
	mu        sync.Mutex
	authorize func(ctx context.Context) error
	keys      []string
}

func (b *bank) Authorize(ctx context.Context, key string, _ orders.Order) (string, error) {
	b.mu.Lock()
	b.keys = append(b.keys, key)
	b.mu.Unlock()
	if b.authorize != nil {
		if err := b.authorize(ctx); err != nil {
			return "", err
		}
	}
	return "auth-" + key, nil
}

// world is a placement over a real database, with both services under the test's control.
type world struct {
	*orders.Placement
	pool  *database.Pool
	store *orders.Postgres
	shelf *shelf
	bank  *bank
	admin *pgx.Conn
	page  metrictest.Page
}

const poolMax = 4

func newWorld(t *testing.T) *world {
	t.Helper()
	migrations, err := orders.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	url, page := postgrestest.New(t), metrictest.New(t)
	pool, err := database.Open(context.Background(), database.Config{
		Flags: database.Flags{
			DatabaseURL: url, PoolMax: poolMax, AcquireTimeout: 5 * time.Second, ConnectionLifetime: time.Hour, DatabaseWait: 5 * time.Second,
		},
		Workload: "orders", Instance: "orders-1", Migrations: migrations,
		TracerProvider: page.TracerProvider(), MeterProvider: page.MeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close(context.Background()) })
	w := &world{
		pool: pool, store: orders.NewPostgres(pool), shelf: &shelf{}, bank: &bank{},
		admin: postgrestest.Connect(t, url), page: page,
	}
	w.Placement, err = orders.NewPlacement(orders.PlacementConfig{
		Store: w.store, Stock: w.shelf, Payments: w.bank, Log: quiet(), MeterProvider: page.MeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func request() orders.Request {
	return orders.Request{
		IdempotencyKey: uuid.NewString(), Customer: "c-17", Items: []orders.Item{{SKU: "SKU-0001", Quantity: 1}},
	}
}

func (w *world) settle(t *testing.T) {
	t.Helper()
	if err := w.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) count(t *testing.T, sql string) (n int) {
	t.Helper()
	if err := w.admin.QueryRow(context.Background(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *world) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := w.admin.Exec(context.Background(), sql); err != nil {
		t.Fatal(err)
	}
}
