package inventory_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/inventory"
)

func TestReservationsAreCountedByWhatWasDoneAboutThem(t *testing.T) {
	w := newWorld(t, time.Minute)
	expect := func(want map[string]float64) {
		t.Helper()
		for _, result := range []string{"reserved", "repeated", "refused", "committed", "released", "expired"} {
			w.page.Expect(t, map[string]float64{fmt.Sprintf("inventory_reservations_total{result=%q}", result): want[result]})
		}
	}
	expect(nil)

	ctx := context.Background()
	reserve := func(id, sku string, quantity int64) {
		_, _ = w.Reserve(ctx, wanted(id, inventory.Item{SKU: sku, Quantity: quantity}))
	}
	for _, id := range []string{"committed", "released", "late", "late-again"} {
		reserve(id, "SKU-0001", 1)
	}
	reserve("committed", "SKU-0001", 1) // again
	reserve("committed", "SKU-0002", 9) // under the same id, something else
	reserve("greedy", "SKU-0001", 1_000_000_000)
	w.setStock(t, "SKU-0003", 0)
	reserve("unlucky", "SKU-0003", 1)
	reserve("unknown", "SKU-9999", 1)
	// However often it is said, it is done once.
	for range 2 {
		_ = w.Commit(ctx, "committed")
		_ = w.Release(ctx, "released")
	}
	_ = w.Release(ctx, "committed") // too late
	_ = w.Commit(ctx, "nobody's")
	if _, err := w.admin.Exec(ctx, `UPDATE reservations SET expires_at = now() - interval '1s' WHERE id LIKE 'late%'`); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Expire(ctx, 10); err != nil {
		t.Fatal(err)
	}
	_ = w.Commit(ctx, "late-again") // its stock is still there
	expect(map[string]float64{"reserved": 4, "repeated": 1, "refused": 4, "committed": 2, "released": 1, "expired": 2})
}

func TestAReservationThatTheDatabaseDidNotAnswerIsNotCounted(t *testing.T) {
	w := newWorld(t, time.Minute)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Reserve(ended, wanted("r", inventory.Item{SKU: "SKU-0001", Quantity: 1})); err == nil {
		t.Fatal("reserved with a context that has ended")
	}
	for _, result := range []string{"reserved", "refused"} {
		w.page.Expect(t, map[string]float64{fmt.Sprintf("inventory_reservations_total{result=%q}", result): 0})
	}
}
