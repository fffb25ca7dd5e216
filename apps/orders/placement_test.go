package orders_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/orders"
)

func TestOneKeyAskedForTwentyTimesAtOnceIsOneOrder(t *testing.T) {
	w := newWorld(t)
	w.bank.authorize = func(context.Context) error { time.Sleep(10 * time.Millisecond); return nil }
	r := request()
	answers := make(chan orders.Order, 20)
	var askers sync.WaitGroup
	for range 20 {
		askers.Go(func() {
			order, err := w.Place(context.Background(), r)
			if err != nil {
				t.Error(err)
			}
			answers <- order
		})
	}
	askers.Wait()
	first := <-answers
	for range 19 {
		if other := <-answers; other.ID != first.ID || other.TotalCents != first.TotalCents || other.Status != orders.Confirmed {
			t.Errorf("got %+v and %+v for one key", first, other)
		}
	}
	if reserved, released, _ := w.shelf.counts(); reserved != 1 || released != 0 || len(w.bank.keys) != 1 {
		t.Errorf("%d reservations, %d releases, %d payments; want 1, 0, 1", reserved, released, len(w.bank.keys))
	}
	if n := w.count(t, `SELECT count(*) FROM orders`); n != 1 {
		t.Errorf("%d orders, want 1", n)
	}
}

func TestWhenTheFirstOfTwoFailsTheSecondWithTheSameKeyPlacesTheOrder(t *testing.T) {
	w := newWorld(t)
	paying, fail := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.bank.authorize = func(context.Context) (err error) {
		once.Do(func() {
			close(paying)
			<-fail
			err = errors.New("provider is down")
		})
		return err
	}
	r := request()
	firstErr := make(chan error)
	go func() { _, err := w.Place(context.Background(), r); firstErr <- err }()
	<-paying
	second := make(chan error)
	go func() { _, err := w.Place(context.Background(), r); second <- err }()
	postgrestest.Eventually(t, "the second waits for the first one's key", func() bool {
		return w.count(t, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`) == 1
	})
	close(fail)
	if err := <-firstErr; err == nil {
		t.Error("the first went well, want its failure")
	}
	if err := <-second; err != nil {
		t.Errorf("the second: %v", err)
	}
}

func TestAKeyDoesNotStandForTwoOrders(t *testing.T) {
	w := newWorld(t)
	r := request()
	r.Items = []orders.Item{{SKU: "SKU-0001", Quantity: 1}, {SKU: "SKU-0002", Quantity: 2}}
	if _, err := w.Place(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	r.Items[0], r.Items[1] = r.Items[1], r.Items[0]
	if _, err := w.Place(context.Background(), r); err != nil {
		t.Errorf("the same order in another sequence: %v", err)
	}
	r.Items[0].Quantity = 7
	if _, err := w.Place(context.Background(), r); !apierror.Is(err, apierror.Unprocessable) {
		t.Errorf("another order under the same key: %v, want unprocessable", err)
	}
}

func TestARefusalIsNotKeptSoTheSameKeyMayBeTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.bank.authorize = func(context.Context) error { return apierror.New(apierror.Unprocessable, "declined") }
	r := request()
	if _, err := w.Place(context.Background(), r); !apierror.Is(err, apierror.Unprocessable) {
		t.Fatalf("got %v, want unprocessable", err)
	}
	w.bank.authorize = nil
	order, err := w.Place(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if w.shelf.reserved[0] == w.shelf.reserved[1] {
		t.Error("the second attempt used the first one's reservation, which is being released")
	}
	found, err := w.Find(context.Background(), order.ID)
	if err != nil || found.Status != orders.Confirmed || found.ReservationID != w.shelf.reserved[1] {
		t.Errorf("found %+v (%v)", found, err)
	}
}

func TestTheDiscountIsTakenOff(t *testing.T) {
	w := newWorld(t)
	r := request()
	r.Coupon = "WELCOME10"
	if order, err := w.Place(context.Background(), r); err != nil || order.TotalCents != 900 {
		t.Errorf("got %d cents (%v), want 900", order.TotalCents, err)
	}
}

func TestWhateverFailsAfterTheReservationReleasesIt(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(*testing.T, *world, context.CancelFunc)
		release int
	}{
		{"the payment is declined", func(_ *testing.T, w *world, _ context.CancelFunc) {
			w.bank.authorize = func(context.Context) error { return apierror.New(apierror.Unprocessable, "declined") }
		}, 1},
		{"nobody knows whether the reservation arrived", func(_ *testing.T, w *world, _ context.CancelFunc) {
			w.shelf.reserve = func(context.Context) error { return context.DeadlineExceeded }
		}, 1},
		{"the caller goes away while paying", func(_ *testing.T, w *world, cancel context.CancelFunc) {
			w.bank.authorize = func(ctx context.Context) error { cancel(); return ctx.Err() }
		}, 1},
		{"the caller goes away just before the commit", func(_ *testing.T, w *world, cancel context.CancelFunc) {
			w.bank.authorize = func(context.Context) error { cancel(); return nil }
		}, 1},
		{"the database refuses the commit", func(t *testing.T, w *world, _ context.CancelFunc) {
			w.atCommit(t, `RAISE EXCEPTION 'refused'`)
		}, 1},
		{"the backend dies in the commit, so nobody knows", func(t *testing.T, w *world, _ context.CancelFunc) {
			w.atCommit(t, `PERFORM pg_terminate_backend(pg_backend_pid())`)
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			tt.prepare(t, w, cancel)
			_, err := w.Place(ctx, request())
			if err == nil {
				t.Fatal("went well, want a failure")
			}
			w.settle(t)
			if _, released, _ := w.shelf.counts(); released != tt.release {
				t.Errorf("%d releases, want %d (%v)", released, tt.release, err)
			}
			if unknown := errors.Is(err, orders.ErrOutcomeUnknown); unknown != (tt.release == 0) {
				t.Errorf("outcome unknown: %v, with %v", unknown, err)
			}
			if n := w.count(t, `SELECT count(*) FROM orders`) + w.count(t, `SELECT count(*) FROM outbox`); n != 0 {
				t.Errorf("%d rows were left behind", n)
			}
			postgrestest.Eventually(t, "the pool is whole again", func() bool { return w.pool.Acquired() == 0 })
		})
	}
}

// atCommit makes the database do something while an order is being committed.
func (w *world) atCommit(t *testing.T, statement string) {
	t.Helper()
	w.exec(t, `CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN `+statement+`; RETURN NULL; END $$`)
	w.exec(t, `CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION at_commit()`)
}
