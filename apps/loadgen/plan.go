package loadgen

import (
	"fmt"
	"math/rand/v2"

	"github.com/google/uuid"
)

// popular is the product that half of all checkouts want.
const popular = "SKU-0001"

// Item is one line of a checkout.
type Item struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// Checkout is one order that a customer places. Key is its Idempotency-Key.
type Checkout struct {
	Key      string `json:"-"`
	Customer string `json:"customer"`
	Items    []Item `json:"items"`
}

// plan decides who buys what: the same seed gives the same customers and products in the same order. The keys differ
// in every run, because the database remembers those of the last one.
type plan struct {
	checkouts *rand.Rand
	browsing  *rand.Rand
	customers int
	products  int
}

// newPlan keeps checkouts and browsing apart, so that the rate of one does not change the sequence of the other.
func newPlan(seed uint64, customers, products int) *plan {
	return &plan{
		checkouts: rand.New(rand.NewPCG(seed, 1)),
		browsing:  rand.New(rand.NewPCG(seed, 2)),
		customers: customers,
		products:  products,
	}
}

func (p *plan) checkout() Checkout {
	sku := popular
	if p.checkouts.IntN(2) == 1 && p.products > 1 {
		sku = skuName(2 + p.checkouts.IntN(p.products-1))
	}
	return Checkout{
		Key:      uuid.NewString(),
		Customer: fmt.Sprintf("c-%d", 1+p.checkouts.IntN(p.customers)),
		Items:    []Item{{SKU: sku, Quantity: 1}},
	}
}

func (p *plan) browse() string { return skuName(1 + p.browsing.IntN(p.products)) }

func skuName(n int) string { return fmt.Sprintf("SKU-%04d", n) }
