package orders

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/service"
)

// Till is where the payer finds the payments that are still to be taken. Several payers may work on one till.
type Till interface {
	// Settle writes down what became of earlier payments and claims others, in one short use of a connection. A claim that
	// is not settled lapses, and the payment is given out again.
	Settle(ctx context.Context, settled []Settlement, limit int, lease time.Duration) ([]DeferredPayment, Backlog, error)
}

// DeferredPayment is one payment that is still to be taken.
type DeferredPayment struct {
	OrderID    string
	TotalCents int64
	Customer   string
	// Key is the order's idempotency key, under which payments takes the money once.
	Key string
	// Traceparent is the order's trace, to which the payment belongs; empty when it had none.
	Traceparent string
	Attempts    int
}

// Settlement is the end of a deferred payment: its authorisation, or a refusal, which cancels the order.
type Settlement struct {
	OrderID         string
	Status          Status
	AuthorizationID string
	Traceparent     string
}

// PayerConfig is what a Payer needs; all but Tick and Lease is required.
type PayerConfig struct {
	Till     Till
	Payments Payments
	Log      *slog.Logger
	// MeterProvider takes the counter of attempts and the gauges of the backlog.
	MeterProvider metric.MeterProvider
	// Tick is the pause between two looks at the till; 250 ms by default.
	Tick time.Duration
	// Lease is how long a payment is this payer's; 5 s by default, several times what its batch takes.
	Lease time.Duration
}

// Batch and parallelism of a payer: where each payment takes 0.4 s, one replica takes forty a second, which is all that the
// sheet asks of two.
const (
	payerBatch   = 32
	payerWorkers = 16
)

func (c *PayerConfig) defaults() error {
	if c.Till == nil || c.Payments == nil || c.Log == nil || c.MeterProvider == nil {
		return errors.New("orders: a payer needs Till, Payments, Log and MeterProvider")
	}
	if c.Tick == 0 {
		c.Tick = 250 * time.Millisecond
	}
	if c.Lease == 0 {
		c.Lease = 5 * time.Second
	}
	return nil
}

// Payer takes the payments of orders that were placed without. It asks at least once; payments is idempotent on the key, and
// a payment is settled once, so the money is taken once.
type Payer struct {
	PayerConfig
	metrics payerMetrics
	settled []Settlement
	silent  bool // the last look failed, and the log has it
}

// NewPayer makes a Payer; Run works it.
func NewPayer(cfg PayerConfig) (*Payer, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	metrics, err := newPayerMetrics(cfg.MeterProvider)
	if err != nil {
		return nil, err
	}
	return &Payer{PayerConfig: cfg, metrics: metrics}, nil
}

// Run takes payments until ctx ends. It always returns nil then.
func (p *Payer) Run(ctx context.Context) error {
	ticker := time.NewTicker(p.Tick)
	defer ticker.Stop()
	for {
		if more := p.turn(ctx); more && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// turn says whether there is more to do at once: what was taken must be settled, and a full batch is not the last.
func (p *Payer) turn(ctx context.Context) (more bool) {
	// Bounded and untraced as the relay's look is, and for the same reasons.
	asking, cancel := context.WithTimeout(service.Untraced(ctx), exchangeBound)
	payments, backlog, err := p.Till.Settle(asking, p.settled, payerBatch, p.Lease)
	cancel()
	if err != nil {
		// What is to be settled is kept for the next turn.
		if !p.silent && ctx.Err() == nil {
			p.Log.WarnContext(ctx, "deferred payments not reached; trying again each tick", "error", err)
			p.silent = true
		}
		return false
	}
	p.metrics.saw(backlog)
	p.silent, p.settled = false, p.take(ctx, payments)
	return len(p.settled) > 0
}

func (p *Payer) take(ctx context.Context, payments []DeferredPayment) []Settlement {
	var mu sync.Mutex
	var settled []Settlement
	inParallel(payerWorkers, payments, func(payment DeferredPayment) {
		ctx := withTraceparent(ctx, payment.Traceparent)
		order := Order{ID: payment.OrderID, TotalCents: payment.TotalCents, Customer: payment.Customer}
		authorization, err := p.Payments.Authorize(ctx, payment.Key, order)
		did := attemptOf(err)
		if did == paymentRetried && ctx.Err() != nil {
			return // cut off by our own end, which says nothing about the payment
		}
		p.metrics.attempts.Add(ctx, did, 1)
		end := Settlement{OrderID: payment.OrderID, Status: Confirmed, AuthorizationID: authorization, Traceparent: payment.Traceparent}
		switch did {
		case paymentRetried:
			p.Log.WarnContext(ctx, "deferred payment not taken; its claim lapses and it is tried again",
				"order_id", payment.OrderID, "attempt", payment.Attempts, "error", err)
			return
		case paymentDeclined:
			p.Log.InfoContext(ctx, "deferred payment declined; the order is cancelled", "order_id", payment.OrderID, "error", err)
			end.Status = Cancelled
		}
		mu.Lock()
		defer mu.Unlock()
		settled = append(settled, end)
	})
	return settled
}

// attemptOf reads the answer of payments. What it refuses, it would refuse again.
func attemptOf(err error) attempt {
	switch {
	case err == nil:
		return paymentTaken
	case apierror.From(err).Code.Status() < http.StatusInternalServerError && !apierror.Is(err, apierror.TooManyRequests):
		return paymentDeclined
	default:
		return paymentRetried
	}
}
