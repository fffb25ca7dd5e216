// Package payments is a simulated payment provider: it authorises amounts, once for each idempotency key, and takes
// about as long as a real one.
//
// An authorisation that no order ever captures lapses by itself, as it does at a real provider, so there is nothing to
// undo.
package payments

import (
	"container/list"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/counts"
)

// Payment is what is to be authorised.
type Payment struct {
	OrderID     string `json:"order_id"`
	AmountCents int64  `json:"amount_cents"`
	Customer    string `json:"customer"`
}

const maxText = 200

func (p Payment) validate(key string) error {
	switch {
	case key == "" || len(key) > maxText:
		return apierror.New(apierror.BadRequest, "send an Idempotency-Key header of 1 to %d bytes", maxText)
	case p.OrderID == "" || len(p.OrderID) > maxText || p.Customer == "" || len(p.Customer) > maxText:
		return apierror.New(apierror.BadRequest, "give an order_id and a customer of 1 to %d bytes", maxText)
	case p.AmountCents < 0:
		return apierror.New(apierror.BadRequest, "amount_cents is %d; it cannot be negative", p.AmountCents)
	}
	return nil
}

// ProviderConfig sizes the provider; every field is required.
type ProviderConfig struct {
	// Latency gives how long the next payment takes.
	Latency func() time.Duration
	// LimitCents is the largest amount that is authorised; anything above is declined.
	LimitCents int64
	// MaxKeys bounds the keys that are remembered; the oldest are forgotten first.
	MaxKeys int
	// MeterProvider takes the counter of authorisations.
	MeterProvider metric.MeterProvider
}

// Provider authorises payments and remembers its answers in memory. A restart forgets them: a request repeated across
// it is authorised anew, and the first authorisation lapses.
type Provider struct {
	cfg            ProviderConfig
	authorizations *counts.Counter[result]

	mu      sync.Mutex
	entries map[string]*entry
	oldest  *list.List // of keys
}

type entry struct {
	payment         Payment
	authorizationID string
	declined        bool
	done            chan struct{} // closed when the provider has answered
}

func (e *entry) result() result {
	if e.declined {
		return declined
	}
	return authorized
}

// NewProvider makes a Provider.
func NewProvider(cfg ProviderConfig) (*Provider, error) {
	if cfg.Latency == nil || cfg.LimitCents <= 0 || cfg.MaxKeys <= 0 || cfg.MeterProvider == nil {
		return nil, errors.New("payments: a provider needs Latency, MeterProvider and positive LimitCents and MaxKeys")
	}
	authorizations, err := newAuthorizationCounter(cfg.MeterProvider)
	if err != nil {
		return nil, err
	}
	return &Provider{cfg: cfg, authorizations: authorizations, entries: map[string]*entry{}, oldest: list.New()}, nil
}

// Authorize gives the authorisation's id. The same key gives the same answer, and waits for it while the first request
// is still under way. A caller that goes away does not stop a payment that has begun. Errors: unprocessable when
// declined or when the key stands for another payment.
func (p *Provider) Authorize(ctx context.Context, key string, payment Payment) (string, error) {
	if err := payment.validate(key); err != nil {
		return "", err
	}
	e, first := p.begin(ctx, key, payment)
	if e.payment != payment {
		return "", apierror.New(apierror.Unprocessable,
			"this Idempotency-Key stands for another payment already; send a new key with a new order")
	}
	if !first {
		p.authorizations.Add(ctx, repeated, 1)
	}
	select {
	case <-e.done:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if e.declined {
		return "", apierror.New(apierror.Unprocessable, "the payment was declined: it is above the limit of %d cents", p.cfg.LimitCents)
	}
	return e.authorizationID, nil
}

// begin gives the key's entry, and starts the payment when there is none yet.
func (p *Provider) begin(ctx context.Context, key string, payment Payment) (e *entry, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.entries[key]; ok {
		return e, false
	}
	if len(p.entries) >= p.cfg.MaxKeys {
		front := p.oldest.Front()
		delete(p.entries, p.oldest.Remove(front).(string))
	}
	e = &entry{
		payment: payment, done: make(chan struct{}),
		authorizationID: uuid.NewString(), declined: payment.AmountCents > p.cfg.LimitCents,
	}
	// The substrings of a request's header would keep the whole of it in memory.
	key = strings.Clone(key)
	p.entries[key] = e
	p.oldest.PushBack(key)
	time.AfterFunc(p.cfg.Latency(), func() {
		p.authorizations.Add(ctx, e.result(), 1)
		close(e.done)
	})
	return e, true
}
