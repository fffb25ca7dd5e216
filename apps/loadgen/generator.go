package loadgen

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/apps/internal/temporary"
)

// MaxRate is the highest rate that may be asked for, per second.
const MaxRate = 5000

// Shop is where the requests go. Both calls return when the request has ended, and must end by themselves: the
// generator waits for each.
type Shop interface {
	// Checkout returns the HTTP status, 0 when there was none, and its span, which is known either way.
	Checkout(ctx context.Context, checkout Checkout) (status int, span trace.SpanContext)
	// Browse returns the HTTP status, 0 when there was none.
	Browse(ctx context.Context, sku string) (status int)
}

// Observer hears of every request as it ends, and of every step of the wall clock; it must not block.
type Observer interface {
	CheckoutEnded(answer Answer, lateness time.Duration)
	BrowseEnded(status int)
	ClockStepped(by time.Duration)
}

// GeneratorConfig is what a Generator needs.
type GeneratorConfig struct {
	Shop     Shop
	Observer Observer
	// Finished takes each finished second, in order; it must not block.
	Finished func(Second)

	Rate        int // checkouts per second
	Browse      int // product pages per second
	Seed        uint64
	Customers   int
	Products    int
	MaxInFlight int // requests that may wait for an answer at once
}

func (c GeneratorConfig) validate() error {
	switch {
	case c.Shop == nil || c.Observer == nil || c.Finished == nil:
		return errors.New("loadgen: Shop, Observer and Finished are required")
	case c.Browse < 0 || c.Browse > MaxRate:
		return fmt.Errorf("loadgen: browse rate %d: use 0 to %d per second", c.Browse, MaxRate)
	case c.Customers < 1 || c.Products < 1 || c.MaxInFlight < 1:
		return errors.New("loadgen: there must be at least one customer, one product and one request in flight")
	}
	return checkRate(c.Rate)
}

func checkRate(rate int) error {
	if rate < 0 || rate > MaxRate {
		return fmt.Errorf("%d checkouts per second: use a whole number from 0 to %d", rate, MaxRate)
	}
	return nil
}

// Generator sends at a constant rate.
type Generator struct {
	config GeneratorConfig
	plan   *plan
	book   *book
	rate   *temporary.Setting[int]
	free   chan struct{} // one token per request that may still be in flight
}

// NewGenerator checks the configuration.
func NewGenerator(config GeneratorConfig) (*Generator, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	g := &Generator{
		config: config,
		plan:   newPlan(config.Seed, config.Customers, config.Products),
		book:   newBook(config.Finished),
		rate:   temporary.New(config.Rate),
		free:   make(chan struct{}, config.MaxInFlight),
	}
	for range config.MaxInFlight {
		g.free <- struct{}{}
	}
	return g, nil
}

// Rate is the number of checkouts per second.
func (g *Generator) Rate() int { return g.rate.View().Now }

// Rates is the rate that holds now, the usual one, and until when they differ.
func (g *Generator) Rates() temporary.View[int] { return g.rate.View() }

// SetRate changes the rate from the next whole second on. With a period, which is above 0, the rate returns by itself to
// the one that was set before without any; with 0 it stays.
func (g *Generator) SetRate(rate int, period time.Duration) error {
	if err := checkRate(rate); err != nil {
		return err
	}
	if period > 0 {
		g.rate.SetFor(rate, period)
	} else {
		g.rate.Set(rate)
	}
	return nil
}

// InFlight is the number of requests that wait for an answer now.
func (g *Generator) InFlight() int { return g.config.MaxInFlight - len(g.free) }

// Run sends until ctx ends, then waits for the requests in flight. It starts at a whole second. A second that ctx cuts
// short is never finished.
func (g *Generator) Run(ctx context.Context) {
	var flights sync.WaitGroup
	defer flights.Wait()
	second := nextSecond(time.Now())
	for sleepUntil(ctx, second) {
		if now := time.Now(); clockStep(second, now).Abs() > maxClockStep {
			g.config.Observer.ClockStepped(clockStep(second, now))
			second = nextSecond(now)
			continue
		}
		if !g.second(ctx, second, &flights) {
			return
		}
		second = second.Add(time.Second)
	}
}

// second sends one second's requests at their times. When this process was held up, the times that have passed are
// not skipped: their requests leave at once, and their latency says how late they were.
func (g *Generator) second(ctx context.Context, second time.Time, flights *sync.WaitGroup) bool {
	rate := g.Rate()
	current := g.book.begin(second, rate)
	for _, next := range merge(arrivals(second, rate), arrivals(second, g.config.Browse)) {
		if !sleepUntil(ctx, next.at) {
			return false
		}
		if next.browse {
			sku := g.plan.browse()
			flights.Go(func() { g.look(ctx, sku) })
			continue
		}
		checkout := g.plan.checkout()
		flights.Go(func() { g.send(ctx, current, checkout, next.at) })
	}
	end := second.Add(time.Second)
	flights.Go(func() {
		if sleepUntil(ctx, end) {
			g.book.close(time.Now())
		}
	})
	return true
}

// send does one checkout and counts it. One that finds too many others in flight is refused here and counts as
// failed: waiting for its turn would make this a closed loop.
func (g *Generator) send(ctx context.Context, in *tally, checkout Checkout, intended time.Time) {
	lateness := time.Since(intended)
	answer := Answer{Unsent: true}
	if g.enter() {
		answer.Unsent = false
		answer.Status, answer.Span = g.config.Shop.Checkout(ctx, checkout)
		g.leave()
	}
	if ctx.Err() != nil {
		return // cut off by our own end, which says nothing about the shop
	}
	now := time.Now()
	answer.Latency = now.Sub(intended)
	g.config.Observer.CheckoutEnded(answer, lateness)
	g.book.ended(in, answer)
	g.book.close(now)
}

// look reads one product page. It counts in no second: the journey that is judged is the checkout.
func (g *Generator) look(ctx context.Context, sku string) {
	status := 0
	if g.enter() {
		status = g.config.Shop.Browse(ctx, sku)
		g.leave()
	}
	if ctx.Err() == nil {
		g.config.Observer.BrowseEnded(status)
	}
}

func (g *Generator) enter() bool {
	select {
	case <-g.free:
		return true
	default:
		return false
	}
}

func (g *Generator) leave() { g.free <- struct{}{} }

// sleepUntil returns false when ctx ended first.
func sleepUntil(ctx context.Context, at time.Time) bool {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
