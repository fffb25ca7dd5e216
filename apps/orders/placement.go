package orders

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
)

// Store keeps orders.
type Store interface {
	// Place makes the order inside a transaction and calls fulfil in the middle of it. For a key that has its order
	// already, it returns that order without calling fulfil, or ErrKeyConflict when that was another request's. It
	// returns ErrOutcomeUnknown when it cannot be told whether the order was committed.
	Place(ctx context.Context, request Request, fulfil func(context.Context, *Order) error) (Order, error)
	Find(ctx context.Context, id string) (Order, error)
}

// Stock is where goods are reserved. All of it is idempotent on the reservation's id.
type Stock interface {
	Reserve(ctx context.Context, reservationID string, items []Item) (totalCents int64, err error)
	Release(ctx context.Context, reservationID string) error
}

// Payments authorises an amount, at most once for each key.
type Payments interface {
	Authorize(ctx context.Context, key string, order Order) (authorizationID string, err error)
}

// ErrOutcomeUnknown says that the connection was lost while the commit was under way. The same key gives the truth.
var ErrOutcomeUnknown = errors.New("the commit's outcome is unknown")

// ErrKeyConflict says that the key stands for another request.
var ErrKeyConflict = apierror.New(apierror.Unprocessable,
	"this Idempotency-Key stands for another order already; send a new key with a new order")

// errCancelled answers a key whose order was placed and cancelled since.
var errCancelled = apierror.New(apierror.Unprocessable,
	"the payment was declined and the order is cancelled; order again with a new Idempotency-Key")

// releaseTimeout bounds a compensation; inventory expires what could not be released by then.
const releaseTimeout = 2 * time.Second

// PlacementConfig is what a Placement needs; every field but Extensions is required.
type PlacementConfig struct {
	Store    Store
	Stock    Stock
	Payments Payments
	Log      *slog.Logger
	// MeterProvider takes the counters.
	MeterProvider metric.MeterProvider
	// Extensions are told of each order that was placed.
	Extensions []Extension
}

// Placement places orders.
type Placement struct {
	PlacementConfig
	metrics       placementMetrics
	compensations sync.WaitGroup
}

// NewPlacement makes a Placement.
func NewPlacement(cfg PlacementConfig) (*Placement, error) {
	if cfg.Store == nil || cfg.Stock == nil || cfg.Payments == nil || cfg.Log == nil || cfg.MeterProvider == nil {
		return nil, errors.New("orders: a placement needs Store, Stock, Payments, Log and MeterProvider")
	}
	metrics, err := newPlacementMetrics(cfg.MeterProvider)
	if err != nil {
		return nil, err
	}
	return &Placement{PlacementConfig: cfg, metrics: metrics}, nil
}

// Place makes the order that the request asks for, or gives the one that its key has already.
//
// A refusal (expired coupon, out of stock, declined) is not kept: nothing happened, so the same key may be tried again
// and is judged anew. Whatever goes wrong after stock may have been reserved, the reservation is released, without
// waiting and whatever has become of the caller. An order whose payment is deferred is kept when that is declined: as
// cancelled, and so is its key.
func (p *Placement) Place(ctx context.Context, request Request) (Order, error) {
	order, first, err := p.place(ctx, request)
	p.metrics.placed(ctx, first, order, err)
	if err == nil && first {
		p.tell(ctx, order)
	}
	return order, err
}

// tell tells the extensions of an order that was placed.
func (p *Placement) tell(ctx context.Context, order Order) {
	for _, extension := range p.Extensions {
		if err := extension.Placed(ctx, order); err != nil {
			p.Log.WarnContext(ctx, "an extension failed; the order stands", "order_id", order.ID, "error", err)
		}
	}
}

// place also says whether the request's key was new.
func (p *Placement) place(ctx context.Context, request Request) (order Order, first bool, err error) {
	if err := request.Validate(); err != nil {
		return Order{}, false, err
	}
	// A reservation belongs to one attempt: the next attempt must not meet one that is being released.
	reservationID := uuid.NewString()
	order, err = p.Store.Place(ctx, request, func(ctx context.Context, order *Order) error {
		first = true
		return p.fulfil(ctx, request, reservationID, order)
	})
	if err == nil && order.Status == Cancelled {
		return Order{}, first, errCancelled
	}
	if err == nil {
		return order, first, nil
	}
	if first && !errors.Is(err, ErrOutcomeUnknown) {
		p.compensate(ctx, reservationID)
	}
	return Order{}, first, fmt.Errorf("place order: %w", err)
}

// fulfil talks to two other services while a transaction is open: docs/decisions/0001-payment-inside-the-transaction.md.
func (p *Placement) fulfil(ctx context.Context, request Request, reservationID string, order *Order) error {
	total, err := p.Stock.Reserve(ctx, reservationID, order.Items)
	if err != nil {
		return fmt.Errorf("reserve stock: %w", err)
	}
	order.ReservationID, order.TotalCents = reservationID, discounted(total, order.PercentOff)
	if request.DeferPayment {
		order.Status = PaymentPending
		return nil
	}
	order.AuthorizationID, err = p.Payments.Authorize(ctx, request.IdempotencyKey, *order)
	if err != nil {
		return fmt.Errorf("authorise payment: %w", err)
	}
	return nil
}

func (p *Placement) compensate(ctx context.Context, reservationID string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	p.compensations.Go(func() {
		defer cancel()
		err := p.Stock.Release(ctx, reservationID)
		// Not found: the reservation was refused, or never arrived.
		if err != nil && !apierror.Is(err, apierror.NotFound) {
			p.Log.WarnContext(ctx, "stock not released; inventory will expire it", "reservation_id", reservationID, "error", err)
		}
	})
}

// Wait waits for the compensations that are under way, or until ctx ends.
func (p *Placement) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		p.compensations.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("compensations are still under way: %w", ctx.Err())
	}
}

// Find gives an order by its id, or a not_found error.
func (p *Placement) Find(ctx context.Context, id string) (Order, error) {
	if _, err := uuid.Parse(id); err != nil {
		return Order{}, apierror.New(apierror.NotFound, "there is no order %.64q", id)
	}
	return p.Store.Find(ctx, id)
}
