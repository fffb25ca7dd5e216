package orders_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/orders"
)

// startPayer runs a payer until the test ends or the returned function is called.
func startPayer(t *testing.T, w *world, lease time.Duration) (stop func()) {
	t.Helper()
	payer, err := orders.NewPayer(orders.PayerConfig{
		Till: w.store, Payments: w.bank, Log: quiet(), MeterProvider: w.page.MeterProvider(), Tick: 5 * time.Millisecond, Lease: lease,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = payer.Run(ctx) })
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

func deferring() orders.Request {
	r := request()
	r.DeferPayment = true
	return r
}

// asked are the keys under which payments was asked, sorted.
func (b *bank) asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(slices.Values(b.keys))
}

func (w *world) statusOf(t *testing.T, id string) orders.Status {
	t.Helper()
	order, err := w.Find(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return order.Status
}

func TestADeferredPaymentIsTakenAfterTheOrderWasPlaced(t *testing.T) {
	w := newWorld(t)
	r := deferring()
	order, err := w.Place(context.Background(), r)
	if err != nil || order.Status != orders.PaymentPending || order.TotalCents != 1000 {
		t.Fatalf("placed %+v (%v)", order, err)
	}
	if asked := w.bank.asked(); len(asked) != 0 {
		t.Errorf("payments was asked inside the transaction: %v", asked)
	}
	w.page.Expect(t, map[string]float64{placements("deferred"): 1, placements("confirmed"): 0})
	startRelay(t, w, time.Hour)
	stop := startPayer(t, w, time.Hour)
	postgrestest.Eventually(t, "it is paid, confirmed, and inventory is told", func() bool {
		_, _, committed := w.shelf.counts()
		return w.statusOf(t, order.ID) == orders.Confirmed && committed == 1
	})
	stop()
	if asked := w.bank.asked(); !slices.Equal(asked, []string{r.IdempotencyKey}) {
		t.Errorf("payments was asked under %v, want once under the order's own key", asked)
	}
	if n := w.count(t, `SELECT count(*) FROM orders WHERE authorization_id = 'auth-`+r.IdempotencyKey+`'`); n != 1 {
		t.Errorf("%d orders have the authorisation", n)
	}
	again, err := w.Place(context.Background(), r)
	if err != nil || again.ID != order.ID || again.Status != orders.Confirmed {
		t.Errorf("its key again: %+v (%v)", again, err)
	}
	w.page.Expect(t, map[string]float64{`orders_deferred_payments_attempts_total{result="taken"}`: 1, `orders_deferred_payments_pending_payments`: 0})
}

func TestADeclinedDeferredPaymentCancelsTheOrderAndGivesTheStockBack(t *testing.T) {
	w := newWorld(t)
	w.bank.authorize = func(context.Context) error { return apierror.New(apierror.Unprocessable, "declined") }
	r := deferring()
	order, err := w.Place(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	startRelay(t, w, time.Hour)
	startPayer(t, w, time.Hour)
	postgrestest.Eventually(t, "it is cancelled and its stock released", func() bool {
		_, released, _ := w.shelf.counts()
		return w.statusOf(t, order.ID) == orders.Cancelled && released == 1
	})
	if reserved, _, committed := w.shelf.counts(); reserved != 1 || committed != 0 || w.shelf.released[0] != order.ReservationID {
		t.Errorf("%d reservations, %d committed, released %v", reserved, committed, w.shelf.released)
	}
	if _, err := w.Place(context.Background(), r); !apierror.Is(err, apierror.Unprocessable) {
		t.Errorf("its key again: %v, want that it is cancelled", err)
	}
}

func TestADeferredPaymentThatFailsIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	failures := 0
	var mu sync.Mutex
	w.bank.authorize = func(context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if failures < 2 {
			failures++
			return errors.New("payments is down")
		}
		return nil
	}
	order, err := w.Place(context.Background(), deferring())
	if err != nil {
		t.Fatal(err)
	}
	startPayer(t, w, 20*time.Millisecond)
	postgrestest.Eventually(t, "it is paid at last", func() bool { return w.statusOf(t, order.ID) == orders.Confirmed })
	w.page.Expect(t, map[string]float64{`orders_deferred_payments_attempts_total{result="retried"}`: 2})
}

// Two payers, and claims that lapse while the payment is under way: each order is settled once all the same.
func TestTwoPayersSettleEachPaymentOnce(t *testing.T) {
	w := newWorld(t)
	w.bank.authorize = func(context.Context) error { time.Sleep(5 * time.Millisecond); return nil }
	for range 100 {
		if _, err := w.Place(context.Background(), deferring()); err != nil {
			t.Fatal(err)
		}
	}
	startPayer(t, w, time.Millisecond)
	startPayer(t, w, time.Millisecond)
	postgrestest.Eventually(t, "all are confirmed", func() bool {
		return w.count(t, `SELECT count(*) FROM orders WHERE status = 'confirmed'`) == 100
	})
	if n := w.count(t, `SELECT count(*) FROM outbox`); n != 100 {
		t.Errorf("inventory is to be told %d times of 100 orders", n)
	}
	if n := len(slices.Compact(w.bank.asked())); n != 100 {
		t.Errorf("payments was asked under %d keys, want 100", n)
	}
}

func TestAnOrderWithADeferredPaymentHoldsItsConnectionForNoPayment(t *testing.T) {
	w := newWorld(t)
	w.bank.authorize = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for i := range 10 * poolMax {
		if _, err := w.Place(context.Background(), deferring()); err != nil {
			t.Fatal(fmt.Sprint("order ", i+1, ": ", err))
		}
	}
}
