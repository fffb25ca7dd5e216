package orders_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/orders"
)

func placements(outcome string) string {
	return fmt.Sprintf("orders_placements_total{outcome=%q}", outcome)
}

func keys(result string) string {
	return fmt.Sprintf("orders_idempotency_keys_total{result=%q}", result)
}

func deliveries(result string) string {
	return fmt.Sprintf("orders_outbox_deliveries_total{result=%q}", result)
}

func TestEveryRequestForAnOrderIsCountedByWhatCameOfIt(t *testing.T) {
	w := newWorld(t)
	nothing := map[string]float64{keys("new"): 0, keys("repeated"): 0, keys("conflict"): 0}
	for _, outcome := range []string{"confirmed", "deferred", "repeated", "refused", "unavailable", "timeout", "failed"} {
		nothing[placements(outcome)] = 0
	}
	w.page.Expect(t, nothing)

	answer := func(err error) { w.bank.authorize = func(context.Context) error { return err } }
	place := func(r orders.Request) { _, _ = w.Place(context.Background(), r) }
	first := request()
	place(first)
	place(first)
	other := first
	other.Customer = "c-18"
	place(other)
	place(orders.Request{})
	answer(apierror.New(apierror.Unprocessable, "declined"))
	place(request())
	answer(apierror.New(apierror.Unavailable, "payments is down"))
	place(request())
	answer(context.DeadlineExceeded)
	place(request())
	answer(errors.New("what is this"))
	place(request())
	w.settle(t)

	w.page.Expect(t, map[string]float64{
		placements("confirmed"): 1, placements("repeated"): 1, placements("refused"): 3, placements("unavailable"): 1,
		placements("timeout"): 1, placements("failed"): 1,
		keys("new"): 5, keys("repeated"): 1, keys("conflict"): 1,
	})
}

func TestTheOutboxShowsWhatWaitsHowLongAndWhatBecameOfIt(t *testing.T) {
	w := newWorld(t)
	const pending, age = "orders_outbox_pending_messages", "orders_outbox_oldest_age_seconds"
	var answer atomic.Pointer[error]
	say := func(err error) { answer.Store(&err) }
	say(errors.New("inventory is down"))
	w.shelf.commit = func(string) error { return *answer.Load() }
	startRelay(t, w, 20*time.Millisecond)
	w.page.Expect(t, map[string]float64{pending: 0, age: 0, deliveries("delivered"): 0, deliveries("refused"): 0, deliveries("retried"): 0})

	w.exec(t, `INSERT INTO outbox (reservation_id, created_at) SELECT gen_random_uuid(), now() - n * interval '100s' FROM generate_series(1, 3) n`)
	postgrestest.Eventually(t, "three messages wait, the oldest for five minutes", func() bool {
		return w.page.Value(t, pending) == 3 && w.page.Value(t, age) >= 300 && w.page.Value(t, deliveries("retried")) >= 3
	})
	say(apierror.New(apierror.Conflict, "released"))
	postgrestest.Eventually(t, "what is refused for good does not wait", func() bool {
		return w.page.Value(t, pending) == 0 && w.page.Value(t, age) == 0 && w.page.Value(t, deliveries("refused")) == 3
	})
	say(nil)
	if _, err := w.Place(context.Background(), request()); err != nil {
		t.Fatal(err)
	}
	postgrestest.Eventually(t, "the order's message is delivered", func() bool {
		return w.page.Value(t, deliveries("delivered")) == 1 && w.page.Value(t, pending) == 0
	})
}

func TestTheAgeOfTheBacklogGrowsWhileTheOutboxCannotBeReached(t *testing.T) {
	w := newWorld(t)
	w.shelf.commit = func(string) error { return errors.New("inventory is down") }
	w.exec(t, `INSERT INTO outbox (reservation_id, created_at) VALUES (gen_random_uuid(), now() - interval '100s')`)
	stop := startRelay(t, w, time.Hour)
	age := func() float64 { return w.page.Value(t, "orders_outbox_oldest_age_seconds") }
	postgrestest.Eventually(t, "the message is seen", func() bool { return age() >= 100 })
	stop()
	seen := age()
	postgrestest.Eventually(t, "nobody looks, and it gets older", func() bool { return age() > seen+0.1 })
}

func TestALongBacklogIsNotCountedToItsEnd(t *testing.T) {
	w := newWorld(t)
	w.exec(t, `INSERT INTO outbox (reservation_id, created_at) SELECT gen_random_uuid(), now() - n * interval '1ms' FROM generate_series(5000, 1, -1) n`)
	w.exec(t, `ANALYZE outbox`)
	_, backlog, err := w.store.Exchange(context.Background(), orders.Report{}, 100, time.Hour)
	if err != nil || backlog.Pending != 1000 || backlog.OldestAge < 5*time.Second {
		t.Errorf("backlog %+v (%v), want 1000 messages, and the age of the oldest of all", backlog, err)
	}
}

// The relay looks four times a second; its looks are measured, and would fill the trace store.
func TestLooksAtTheOutboxAreNoTraces(t *testing.T) {
	w := newWorld(t)
	opening := traces(w.page.Text(t)) // the pool made its first connections before there was a relay
	startRelay(t, w, time.Hour)
	postgrestest.Eventually(t, "the relay has used the pool", func() bool {
		uses, _ := w.page.Lookup(t, `db_client_connection_use_time_seconds_count{db_client_connection_pool_name="orders"}`)
		return uses >= 10
	})
	for id := range traces(w.page.Text(t)) {
		if !opening[id] {
			t.Errorf("a look at the outbox was traced: %s", id)
		}
	}
	ctx, span := w.page.TracerProvider().Tracer("test").Start(t.Context(), "POST /orders")
	defer span.End()
	if _, err := w.Place(ctx, request()); err != nil {
		t.Fatal(err)
	}
	if id := span.SpanContext().TraceID().String(); !traces(w.page.Text(t))[id] {
		t.Errorf("no series leads to the order's trace %s", id)
	}
}

// traces are the ids of all traces that a page leads to.
func traces(page string) map[string]bool {
	ids := map[string]bool{}
	for _, match := range regexp.MustCompile(`# \{.*trace_id="([0-9a-f]{32})"`).FindAllStringSubmatch(page, -1) {
		ids[match[1]] = true
	}
	return ids
}
