// Package orders takes orders: it reserves their stock at inventory, authorises their payment at payments, and keeps
// them in its own Postgres database, each exactly once for each idempotency key.
//
// The use case is in placement.go. The adapters are named after their technology: postgres.go, http.go, inventory.go,
// payments.go, relay.go, deferred.go.
package orders

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
)

// Status is where an order stands.
type Status string

// The statuses that are ever committed. Without a deferred payment an order is there confirmed or not at all.
const (
	Confirmed Status = "confirmed"
	// PaymentPending is an order whose payment is still to be taken (deferred.go); it ends as Confirmed or Cancelled.
	PaymentPending Status = "payment_pending"
	// Cancelled is an order whose payment was declined after it had been placed; its stock is given back.
	Cancelled Status = "cancelled"
)

// Order is one customer's order.
type Order struct {
	ID         string    `json:"order_id"`
	Status     Status    `json:"status"`
	TotalCents int64     `json:"total_cents"`
	Customer   string    `json:"customer"`
	Items      []Item    `json:"items"`
	Coupon     string    `json:"coupon,omitempty"`
	CreatedAt  time.Time `json:"created_at"`

	// ReservationID is this order's stock at inventory, AuthorizationID its money at payments.
	ReservationID   string `json:"-"`
	AuthorizationID string `json:"-"`
	PercentOff      int    `json:"-"`
}

// Item is one line of an order.
type Item struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// Request is what a customer asks for.
type Request struct {
	// IdempotencyKey makes it safe to ask again: one key, at most one order.
	IdempotencyKey string `json:"-"`
	// DeferPayment has the payment taken after the order was placed. It is how the order is treated and no part of it: a
	// repeated request may say something else.
	DeferPayment bool `json:"-"`

	Customer string `json:"customer"`
	Items    []Item `json:"items"`
	Coupon   string `json:"coupon,omitempty"`
}

// Bounds of a request.
const (
	maxKey      = 200
	maxText     = 64
	maxItems    = 20
	maxQuantity = 1000
)

// Validate returns a bad_request error that says what to change.
func (r Request) Validate() error {
	switch {
	case r.IdempotencyKey == "" || len(r.IdempotencyKey) > maxKey:
		return apierror.New(apierror.BadRequest, "send an Idempotency-Key header of 1 to %d bytes, the same one when you try again", maxKey)
	case r.Customer == "" || len(r.Customer) > maxText:
		return apierror.New(apierror.BadRequest, "give a customer of 1 to %d bytes", maxText)
	case len(r.Coupon) > maxText:
		return apierror.New(apierror.BadRequest, "the coupon is longer than %d bytes", maxText)
	case len(r.Items) == 0 || len(r.Items) > maxItems:
		return apierror.New(apierror.BadRequest, "order 1 to %d items", maxItems)
	case strings.ContainsRune(r.IdempotencyKey+r.Customer+r.Coupon, 0):
		return apierror.New(apierror.BadRequest, "text may not contain a NUL character")
	}
	seen := make(map[string]bool, len(r.Items))
	for i, item := range r.Items {
		switch {
		case item.SKU == "" || len(item.SKU) > maxText || strings.ContainsRune(item.SKU, 0):
			return apierror.New(apierror.BadRequest, "item %d: give a sku of 1 to %d bytes", i+1, maxText)
		case item.Quantity < 1 || item.Quantity > maxQuantity:
			return apierror.New(apierror.BadRequest, "item %d: the quantity is %d; order 1 to %d", i+1, item.Quantity, maxQuantity)
		case seen[item.SKU]:
			return apierror.New(apierror.BadRequest, "item %d: %s is there twice; add the quantities up", i+1, item.SKU)
		}
		seen[item.SKU] = true
	}
	return nil
}

// orderNamespace separates order ids from every other name-based UUID.
var orderNamespace = uuid.MustParse("6d1f8f8e-54d4-4f9a-9f0c-0c5c2f7f5a11")

// orderID is the id of the order that the key stands for. It is the same at every attempt, so that payments, which is
// told it, sees the same request again.
func (r Request) orderID() string {
	return uuid.NewSHA1(orderNamespace, []byte(r.IdempotencyKey)).String()
}

// fingerprint tells a repeated request from another one under the same key. The order of the items does not count.
func (r Request) fingerprint() []byte {
	items := slices.Clone(r.Items)
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.SKU, b.SKU) })
	r.Items = items
	// A struct of strings and numbers always encodes.
	data, _ := json.Marshal(r)
	sum := sha256.Sum256(data)
	return sum[:]
}

// discounted is the total with a percentage taken off, rounded down to a whole cent.
func discounted(totalCents int64, percentOff int) int64 {
	return totalCents * int64(100-percentOff) / 100
}
