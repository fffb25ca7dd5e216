package repository

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/apps/orders"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// count is what one run came to.
type count struct {
	transactions  int
	latencyMillis float64 // mean
	perSecond     float64
}

// newRequest asks for something new, with a key of the same form as the script's.
func newRequest() orders.Request {
	key := 1_000_000_000_000_000_000 + rand.Int64N(8_223_372_036_854_775_806)
	return orders.Request{
		IdempotencyKey: strconv.FormatInt(key, 10), Customer: "c-17",
		Items: []orders.Item{{SKU: "SKU-0001", Quantity: 1}, {SKU: "SKU-0023", Quantity: 2}},
	}
}

// fulfil is inventory and payments answering at once.
func fulfil(_ context.Context, order *orders.Order) error {
	order.ReservationID = uuid.NewString()
	order.AuthorizationID = newRequest().IdempotencyKey
	order.TotalCents = 4711
	return nil
}

// drive places orders through the repository, clients at once, each as soon as its last one is placed.
func drive(ctx context.Context, databaseURL string, clients int, duration time.Duration, senses *telemetry.Telemetry) (count, error) {
	store, end, err := orders.OpenStore(ctx, orders.StoreConfig{
		DatabaseURL: databaseURL, PoolMax: int32(clients), Telemetry: senses,
	})
	if err != nil {
		return count{}, err
	}
	defer func() { _ = end(context.WithoutCancel(ctx)) }()
	tracer := senses.TracerProvider().Tracer("github.com/faultline-lab/faultline/e2e/bench/repository")
	return repeat(clients, duration, func(int) error {
		// The span stands for that of the HTTP request; without a parent the pool's would be a trace each.
		inSpan, span := tracer.Start(ctx, "place")
		defer span.End()
		_, err := store.Place(inSpan, newRequest(), fulfil)
		return err
	})
}

// repeat calls act over and over until the duration is over, by clients at once, each with its number.
func repeat(clients int, duration time.Duration, act func(client int) error) (count, error) {
	var all sync.WaitGroup
	runs, errs := make([]count, clients), make([]error, clients)
	started := time.Now()
	for i := range runs {
		all.Go(func() { runs[i], errs[i] = repeatUntil(started.Add(duration), func() error { return act(i) }) })
	}
	all.Wait()
	took := time.Since(started)
	var sum count
	for _, one := range runs {
		sum.transactions += one.transactions
		sum.latencyMillis += one.latencyMillis
	}
	if sum.transactions > 0 {
		sum.latencyMillis /= float64(sum.transactions)
	}
	sum.perSecond = float64(sum.transactions) / took.Seconds()
	return sum, errors.Join(errs...)
}

// repeatUntil is one client. Its latencyMillis is the sum.
func repeatUntil(end time.Time, act func() error) (count, error) {
	var done count
	for begun := time.Now(); begun.Before(end); begun = time.Now() {
		if err := act(); err != nil {
			return done, err
		}
		done.transactions++
		done.latencyMillis += float64(time.Since(begun)) / float64(time.Millisecond)
	}
	return done, nil
}
