package inventory_test

import (
	"context"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/inventory"
)

// What a forgotten `psql` window does to the shop: it needs no more than one row of the product that everybody wants.
func TestASessionThatSitsOnAProductHoldsUpItsReservationsAndNoOthers(t *testing.T) {
	w := newWorld(t, time.Minute)
	holder, err := w.admin.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Exec(t.Context(), `SELECT * FROM products WHERE sku = 'SKU-0001' FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	reserve := func(id, sku string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 450*time.Millisecond)
		defer cancel()
		_, err := w.Reserve(ctx, wanted(id, inventory.Item{SKU: sku, Quantity: 1}))
		return err
	}
	if err := reserve("other", "SKU-0002"); err != nil {
		t.Errorf("another product: %v", err)
	}
	if err := reserve("popular", "SKU-0001"); apierror.From(err).Code != apierror.Timeout {
		t.Errorf("the product whose row is held: %v, want a timeout", err)
	}
	if _, err := w.Product(t.Context(), "SKU-0001"); err != nil {
		t.Errorf("its page: %v, want it read all the same", err)
	}
	if err := holder.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	postgrestest.Eventually(t, "the product can be reserved again", func() bool { return reserve("again", "SKU-0001") == nil })
}
