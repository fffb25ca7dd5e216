package orders_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/orders"
)

// The bug of docs/faults/connection-leak.md must be there, and must be the only one of its kind.
func TestOnlyAnExpiredCouponLosesAConnectionAndExactlyOne(t *testing.T) {
	w := newWorld(t)
	declined := func(context.Context) error { return apierror.New(apierror.Unprocessable, "declined") }
	harmless := map[string]func() error{
		"placed":         func() error { return place(w, func(*orders.Request) {}) },
		"valid coupon":   func() error { return place(w, func(r *orders.Request) { r.Coupon = "WELCOME10" }) },
		"unknown coupon": func() error { return refused(place(w, func(r *orders.Request) { r.Coupon = "NOPE" })) },
		"bad request":    func() error { return refused(place(w, func(r *orders.Request) { r.Items = nil })) },
		"same key, another body": func() error {
			return refused(errors.Join(
				place(w, func(r *orders.Request) { r.IdempotencyKey = "k" }),
				place(w, func(r *orders.Request) { r.IdempotencyKey, r.Customer = "k", "c-2" })))
		},
		"declined": func() error {
			w.bank.authorize = declined
			defer func() { w.bank.authorize = nil }()
			return refused(place(w, func(*orders.Request) {}))
		},
		"out of stock": func() error {
			w.shelf.reserve = declined
			defer func() { w.shelf.reserve = nil }()
			return refused(place(w, func(*orders.Request) {}))
		},
		"deadline in the middle": func() error {
			w.bank.authorize = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
			defer func() { w.bank.authorize = nil }()
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
			defer cancel()
			_, err := w.Place(ctx, request())
			return refused(err)
		},
		"not found": func() error {
			_, err := w.Find(context.Background(), "9c75d97c-2a9c-5a06-9e12-ae0c640df9a5")
			return refused(err)
		},
	}
	for name, act := range harmless {
		for range 3 * poolMax {
			if err := act(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		// One that a deadline hit in the middle of a query is torn down first; a lost one never comes back.
		postgrestest.Eventually(t, name+": no connection is out any more", func() bool { return w.pool.Acquired() == 0 })
	}

	err := place(w, func(r *orders.Request) { r.Coupon = "SPRING24" })
	if !apierror.Is(err, apierror.Unprocessable) {
		t.Fatalf("an expired coupon: %v, want unprocessable", err)
	}
	if n := w.pool.Acquired(); n != 1 {
		t.Fatalf("%d connections are out after one expired coupon, want exactly 1", n)
	}
	// What an investigator sees: the backend is idle, in no transaction, and its last query was the coupon's.
	leaked := w.count(t, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
		AND application_name = 'orders/orders-1' AND state = 'idle' AND query LIKE '%FROM coupons%'`)
	if leaked != 1 {
		t.Errorf("%d idle backends with the coupon's query, want 1", leaked)
	}
	if err := place(w, func(*orders.Request) {}); err != nil {
		t.Errorf("the rest of the pool no longer works: %v", err)
	}
}

func place(w *world, change func(*orders.Request)) error {
	r := request()
	change(&r)
	_, err := w.Place(context.Background(), r)
	return err
}

// refused turns the outcomes around: the refusal that was expected is nil.
func refused(err error) error {
	if err == nil {
		return errors.New("went well, want a refusal")
	}
	return nil
}
