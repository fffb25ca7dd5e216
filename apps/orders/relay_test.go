package orders_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/orders"
)

// startRelay runs a relay until the test ends or the returned function is called.
func startRelay(t *testing.T, w *world, lease time.Duration) (stop func()) {
	t.Helper()
	relay, err := orders.NewRelay(orders.RelayConfig{
		Outbox: w.store, Inventory: w.shelf, Log: quiet(), MeterProvider: w.page.MeterProvider(),
		Tick: 5 * time.Millisecond, Lease: lease,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = relay.Run(ctx) })
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

func TestTwoRelaysDeliverEachMessageOnce(t *testing.T) {
	w := newWorld(t)
	w.exec(t, `INSERT INTO outbox (reservation_id) SELECT gen_random_uuid() FROM generate_series(1, 500)`)
	startRelay(t, w, time.Hour)
	startRelay(t, w, time.Hour)
	postgrestest.Eventually(t, "the outbox is empty", func() bool { return w.count(t, `SELECT count(*) FROM outbox`) == 0 })
	w.shelf.mu.Lock()
	defer w.shelf.mu.Unlock()
	if len(w.shelf.committed) != 500 {
		t.Errorf("%d reservations committed, want 500", len(w.shelf.committed))
	}
	for id, times := range w.shelf.committed {
		if times != 1 {
			t.Errorf("%s committed %d times", id, times)
		}
	}
}

func TestWhatAKilledRelayHadClaimedIsDeliveredByAnother(t *testing.T) {
	w := newWorld(t)
	w.exec(t, `INSERT INTO outbox (reservation_id) SELECT gen_random_uuid() FROM generate_series(1, 10)`)
	if claimed, _, err := w.store.Exchange(context.Background(), orders.Report{}, 100, 100*time.Millisecond); err != nil || len(claimed) != 10 {
		t.Fatalf("claimed %d (%v), want 10", len(claimed), err)
	}
	if again, _, err := w.store.Exchange(context.Background(), orders.Report{}, 100, time.Hour); err != nil || len(again) != 0 {
		t.Fatalf("claimed %d messages that are another's (%v)", len(again), err)
	}
	startRelay(t, w, 10*time.Second)
	postgrestest.Eventually(t, "the lapsed claims are delivered", func() bool {
		_, _, committed := w.shelf.counts()
		return committed == 10 && w.count(t, `SELECT count(*) FROM outbox`) == 0
	})
}

func TestAFailedDeliveryIsTriedAgainAndARefusedOneIsKept(t *testing.T) {
	w := newWorld(t)
	refused, shaky := uuid.NewString(), uuid.NewString()
	failures := 0
	w.shelf.commit = func(id string) error {
		if id == refused {
			return apierror.New(apierror.Conflict, "reservation was released")
		}
		if failures < 2 {
			failures++
			return errors.New("inventory is down")
		}
		return nil
	}
	w.exec(t, `INSERT INTO outbox (reservation_id) VALUES ('`+refused+`'), ('`+shaky+`')`)
	startRelay(t, w, 20*time.Millisecond)
	postgrestest.Eventually(t, "one is delivered, the other kept for a person", func() bool {
		return w.count(t, `SELECT count(*) FROM outbox WHERE failed_at IS NULL`) == 0
	})
	if n := w.count(t, `SELECT count(*) FROM outbox WHERE last_error LIKE '%was released%'`); n != 1 {
		t.Errorf("%d refused rows are kept with their reason, want 1", n)
	}
	if _, _, committed := w.shelf.counts(); committed != 1 || failures != 2 {
		t.Errorf("%d committed after %d failures, want 1 after 2", committed, failures)
	}
}

func TestAPlacedOrderReachesInventory(t *testing.T) {
	w := newWorld(t)
	startRelay(t, w, time.Hour)
	order, err := w.Place(context.Background(), request())
	if err != nil {
		t.Fatal(err)
	}
	postgrestest.Eventually(t, "its reservation is committed", func() bool {
		w.shelf.mu.Lock()
		defer w.shelf.mu.Unlock()
		return w.shelf.committed[order.ReservationID] == 1
	})
}
