package storefront

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/storefront/mode"
	"github.com/faultline-lab/faultline/apps/storefront/queue"
)

// The header by which orders is asked to take a payment later (docs/contracts.md, "orders, inventory, payments").
const (
	paymentHeader   = "Faultline-Payment"
	paymentDeferred = "deferred"
)

// checkout passes the body on as it is; orders says what is wrong with it. A client without a key of its own gets one,
// which makes the hop to orders repeatable but not the client's own retry.
func (a api) checkout(w http.ResponseWriter, r *http.Request) {
	var body json.RawMessage
	if err := jsonhttp.Read(r, &body); err != nil {
		a.fail(w, r, err)
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		key = uuid.NewString()
	}
	setting := a.Mode()
	switch setting.Mode {
	case mode.Accept:
		a.accept(w, r, key, body)
		return
	case mode.Shed:
		if !a.gate.admits(time.Now(), setting.Admit) {
			a.shed(w, r)
			return
		}
	}
	answer, err := a.place(r.Context(), setting.Mode, key, body)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	jsonhttp.Write(w, http.StatusCreated, answer)
}

// place has orders make the order of the key.
func (a api) place(ctx context.Context, now mode.Mode, key string, body json.RawMessage) (answer json.RawMessage, err error) {
	call := jsonhttp.Call{Method: http.MethodPost, URL: "/orders", IdempotencyKey: key, Body: body}
	if now == mode.DeferPayment {
		call.Header = http.Header{paymentHeader: {paymentDeferred}}
	}
	return a.askOrders(ctx, call)
}

// shed refuses a checkout that is beyond what is let through.
func (a api) shed(w http.ResponseWriter, r *http.Request) {
	a.metrics.shed.Add(r.Context(), 1)
	w.Header().Set("Retry-After", strconv.Itoa(retryAfterSeconds))
	apierror.Write(w, apierror.New(apierror.Unavailable,
		"more customers want to order than can be served; try again in a moment with the same Idempotency-Key"))
}

// retryAfterSeconds is when a customer who was turned away may come again.
const retryAfterSeconds = 2

// taken is the answer to an order that waits in the queue.
type taken struct {
	Status   queue.State `json:"status"`
	OrderKey string      `json:"order_key"`
}

// accept takes the order into the queue and answers as soon as it is on disk. Under a key whose order has ended since, it
// answers what became of it.
func (a api) accept(w http.ResponseWriter, r *http.Request, key string, body json.RawMessage) {
	err := plausible(key, body)
	var entry queue.Entry
	if err == nil {
		entry, err = a.Queue.Accept(r.Context(), queue.Entry{Key: key, Body: compacted(body), Traceparent: queue.TraceparentOf(r.Context())})
	}
	switch {
	case err != nil:
		a.fail(w, r, err)
	case entry.State == queue.Completed:
		jsonhttp.Write(w, http.StatusCreated, entry.Answer)
	case entry.State == queue.Refused:
		apierror.Write(w, refusal(entry))
	default:
		jsonhttp.Write(w, http.StatusAccepted, taken{entry.State, key})
	}
}

// compacted is the body without what does not count, so that one order is one text.
func compacted(body json.RawMessage) json.RawMessage {
	var small bytes.Buffer
	if err := json.Compact(&small, body); err != nil {
		return body // which cannot be: it was decoded before
	}
	return small.Bytes()
}

// refusal is what orders said of an entry that it refused.
func refusal(entry queue.Entry) error {
	var reason queue.Refusal
	if err := json.Unmarshal(entry.Answer, &reason); err != nil {
		return err
	}
	return apierror.New(reason.Code, "%s", reason.Message)
}

// plausible refuses what orders would refuse for its form alone. It is told now, while the customer is there; what
// coupons, stock and payments say is found out when the order's turn comes.
func plausible(key string, body json.RawMessage) error {
	var order struct {
		Customer string `json:"customer"`
		Items    []struct {
			SKU      string `json:"sku"`
			Quantity int    `json:"quantity"`
		} `json:"items"`
	}
	if err := json.Unmarshal(body, &order); err != nil {
		return apierror.New(apierror.BadRequest, "the body is not the JSON that is expected here: %v", err)
	}
	switch {
	case len(key) > 200:
		return apierror.New(apierror.BadRequest, "send an Idempotency-Key header of 1 to 200 bytes, the same one when you try again")
	case order.Customer == "" || len(order.Customer) > 64:
		return apierror.New(apierror.BadRequest, "give a customer of 1 to 64 bytes")
	case len(order.Items) == 0 || len(order.Items) > 20:
		return apierror.New(apierror.BadRequest, "order 1 to 20 items")
	}
	for i, item := range order.Items {
		if item.SKU == "" || item.Quantity < 1 || item.Quantity > 1000 {
			return apierror.New(apierror.BadRequest, "item %d: give a sku, and a quantity of 1 to 1000", i+1)
		}
	}
	return nil
}

// accepted answers for an order that is, or was, in the queue; false when there is none under this key.
func (a api) accepted(w http.ResponseWriter, r *http.Request, key string) bool {
	if a.Queue == nil {
		return false
	}
	entry, err := a.Queue.Find(r.Context(), key)
	if errors.Is(err, queue.ErrNotFound) {
		return false
	}
	if err != nil {
		a.fail(w, r, err)
		return true
	}
	answer := struct {
		taken
		AcceptedAt time.Time `json:"accepted_at"`
		// Order is what orders answered, Reason why it refused.
		Order  json.RawMessage `json:"order,omitempty"`
		Reason json.RawMessage `json:"reason,omitempty"`
	}{taken: taken{entry.State, key}, AcceptedAt: entry.AcceptedAt}
	switch entry.State {
	case queue.Completed:
		answer.Order = entry.Answer
	case queue.Refused:
		answer.Reason = entry.Answer
	}
	jsonhttp.Write(w, http.StatusOK, answer)
	return true
}
