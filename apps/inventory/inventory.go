// Package inventory keeps the catalogue and its stock in a Postgres database of its own, and reserves stock for orders:
// reserve, then commit or release; what is neither in time expires.
//
// The adapters are named after their technology: postgres.go, reservations.go (both Postgres), http.go.
package inventory

import (
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
)

// Product is one article of the catalogue. Stock is what can still be reserved.
type Product struct {
	SKU        string `json:"sku"`
	Name       string `json:"name"`
	PriceCents int64  `json:"price_cents"`
	Stock      int64  `json:"stock"`
}

// Item is a quantity of one product.
type Item struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// Status is where a reservation stands.
type Status string

// The statuses of a reservation. Reserved becomes one of the others; Expired can still be committed while there is
// stock, because an order that was placed counts for more than a reservation that its relay was late to commit.
const (
	Reserved  Status = "reserved"
	Committed Status = "committed"
	Released  Status = "released"
	Expired   Status = "expired"
)

// Reservation is stock that one order holds.
type Reservation struct {
	ID         string `json:"reservation_id"`
	Items      []Item `json:"items,omitempty"`
	TotalCents int64  `json:"total_cents"`

	Status    Status    `json:"-"`
	ExpiresAt time.Time `json:"-"`
}

// Bounds of a reservation.
const (
	maxText     = 64
	maxItems    = 20
	maxQuantity = 1000
)

// validate returns a bad_request error that says what to change.
func (r Reservation) validate() error {
	if r.ID == "" || len(r.ID) > maxText || strings.ContainsRune(r.ID, 0) {
		return apierror.New(apierror.BadRequest, "give a reservation_id of 1 to %d bytes", maxText)
	}
	if len(r.Items) == 0 || len(r.Items) > maxItems {
		return apierror.New(apierror.BadRequest, "reserve 1 to %d items", maxItems)
	}
	for i, item := range r.Items {
		switch {
		case item.SKU == "" || len(item.SKU) > maxText || strings.ContainsRune(item.SKU, 0):
			return apierror.New(apierror.BadRequest, "item %d: give a sku of 1 to %d bytes", i+1, maxText)
		case item.Quantity < 1 || item.Quantity > maxQuantity:
			return apierror.New(apierror.BadRequest, "item %d: the quantity is %d; reserve 1 to %d", i+1, item.Quantity, maxQuantity)
		}
	}
	return nil
}

// inLockOrder adds up the quantities of each product and sorts by SKU: rows that are always locked in one order cannot
// deadlock.
func inLockOrder(items []Item) []Item {
	quantities := make(map[string]int64, len(items))
	for _, item := range items {
		quantities[item.SKU] += item.Quantity
	}
	merged := make([]Item, 0, len(quantities))
	for sku, quantity := range quantities {
		merged = append(merged, Item{sku, quantity})
	}
	slices.SortFunc(merged, func(a, b Item) int { return strings.Compare(a.SKU, b.SKU) })
	return merged
}
