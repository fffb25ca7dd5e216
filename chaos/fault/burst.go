package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/chaos/target"
)

// orderDeadline is how long a customer waits for an answer.
const orderDeadline = time.Second

// Answers that are counted by a name of their own. Others are counted by their status.
const (
	answerCoupon = "coupon_expired" // 422 that calls the coupon expired: the order took the path that leaks
	answerNone   = "no_answer"
)

// burst sends orders with an expired coupon until enough of them were refused because of it.
type burst struct {
	storefront string
	parameters leakParameters
	needed     int // refusals
	first      int // where customers and products begin; the seed decides
	client     *http.Client
	idle       func() // closes the connections that are kept
	sent       int
	answers    map[string]int
}

func newBurst(storefront string, parameters leakParameters, needed, first int, wrap target.Wrap) *burst {
	connections := &http.Transport{MaxIdleConnsPerHost: parameters.AtMost}
	return &burst{
		storefront: storefront, parameters: parameters, needed: needed, first: first, answers: map[string]int{},
		client: &http.Client{Timeout: orderDeadline, Transport: wrap.Around(connections)}, idle: connections.CloseIdleConnections,
	}
}

// run sends the first orders at once and one more for each that was answered in another way, as long as the burst lasts
// and connections are missing. It returns when every order was answered, and says how.
func (b *burst) run(ctx context.Context) map[string]int {
	defer b.idle()
	over := time.Now().Add(b.parameters.Burst.Duration)
	answers := make(chan string)
	waiting := 0
	send := func() {
		order := b.order(b.first + b.sent)
		b.sent++
		waiting++
		go func() { answers <- b.ask(ctx, order) }()
	}
	for range b.parameters.Orders {
		send()
	}
	for waiting > 0 {
		answer := <-answers
		waiting--
		b.answers[answer]++
		missing := b.needed - b.answers[answerCoupon]
		if answer != answerCoupon && missing > waiting && b.sent < b.parameters.AtMost && time.Now().Before(over) {
			send()
		}
	}
	return b.answers
}

type order struct {
	Customer string      `json:"customer"`
	Items    []orderItem `json:"items"`
	Coupon   string      `json:"coupon"`
}

type orderItem struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

func (b *burst) order(n int) order {
	return order{
		Customer: b.parameters.Customers[n%len(b.parameters.Customers)],
		Items:    []orderItem{{SKU: b.parameters.Products[n%len(b.parameters.Products)], Quantity: 1}},
		Coupon:   b.parameters.Coupon,
	}
}

// ask sends one order, as any customer's browser would, and names its answer.
func (b *burst) ask(ctx context.Context, o order) string {
	body, err := json.Marshal(o)
	if err != nil {
		return answerNone
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.storefront+"/checkout", bytes.NewReader(body))
	if err != nil {
		return answerNone
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", uuid.NewString())
	response, err := b.client.Do(request)
	if err != nil {
		return answerNone
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, 16<<10))
	switch {
	case err != nil:
		return answerNone
	case response.StatusCode == http.StatusUnprocessableEntity && strings.Contains(string(text), o.Coupon+" has expired"):
		return answerCoupon
	default:
		return fmt.Sprint(response.StatusCode)
	}
}

// describe puts counted answers in words, sorted.
func describe(answers map[string]int) string {
	parts := []string{}
	for _, answer := range slices.Sorted(maps.Keys(answers)) {
		parts = append(parts, fmt.Sprintf("%d× %s", answers[answer], answer))
	}
	return strings.Join(parts, ", ")
}
