package onstack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/chaos/sli"
	"github.com/faultline-lab/faultline/e2e/bench/cputime"
	"github.com/faultline-lab/faultline/e2e/bench/stats"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// The groups in which processor time is counted.
const (
	Services = "services" // storefront, orders, inventory, payments
	Postgres = "postgres" // with its backends
	Loadgen  = "loadgen"
	Healer   = "autoheal"
	Backends = "backends" // everything else: Prometheus, Loki, Jaeger, Alertmanager, Toxiproxy
	Overseer = "supervisor"
)

// Window is what happened between two whole seconds.
type Window struct {
	Seconds int `json:"seconds"`
	Sent    int `json:"sent"`
	// Orders are the good checkouts, as the client counted them.
	Orders int `json:"orders"`
	// Completed are those and the ones that were completed too late.
	Completed int `json:"completed"`
	// P50Millis and P99Millis are the middle of the seconds' own, from the intended send time on. At 40 a second a second's
	// p99 is its slowest checkout.
	P50Millis float64 `json:"p50_ms"`
	P99Millis float64 `json:"p99_ms"`
	// CPUMillis is user and system time for each order, by group and for each process of the services; nil without orders.
	CPUMillis map[string]float64 `json:"cpu_ms_per_order"`
}

// Good is the share of checkouts that were good.
func (w Window) Good() float64 {
	if w.Sent == 0 {
		return 0
	}
	return float64(w.Orders) / float64(w.Sent)
}

// CompletedPerSecond is how many checkouts a second were completed, late ones included.
func (w Window) CompletedPerSecond() float64 {
	if w.Seconds == 0 {
		return 0
	}
	return float64(w.Completed) / float64(w.Seconds)
}

// Cores is how many of the machine's processors everything that belongs to the stack kept busy, load generator and
// database included; 0 when no order was good.
func (w Window) Cores() float64 {
	if w.Seconds == 0 {
		return 0
	}
	total := 0.0
	for _, group := range []string{Services, Postgres, Loadgen, Healer, Backends, Overseer} {
		total += w.CPUMillis[group]
	}
	return total / 1000 * float64(w.Orders) / float64(w.Seconds)
}

// measure waits for the next whole second, and then as long as asked.
func measure(ctx context.Context, stack endpoints.Stack, length time.Duration) (Window, time.Time, error) {
	before, err := processes(ctx, stack)
	if err != nil {
		return Window{}, time.Time{}, err
	}
	from := time.Now().Truncate(time.Second).Add(time.Second)
	until := from.Add(length)
	first, err := tableAt(ctx, from)
	if err != nil {
		return Window{}, from, err
	}
	last, err := tableAt(ctx, until)
	if err != nil {
		return Window{}, from, err
	}
	after, err := processes(ctx, stack)
	if err != nil {
		return Window{}, from, err
	}
	if !slices.Equal(before, after) {
		return Window{}, from, fmt.Errorf("processes changed while they were measured: %v, then %v", before, after)
	}
	window, err := clientView(ctx, stack, from, until)
	if err != nil {
		return window, from, err
	}
	window.CPUMillis, err = perOrder(first, last, before, stack.PID, window.Orders)
	return window, from, err
}

// tableAt reads /proc at a moment.
func tableAt(ctx context.Context, at time.Time) (cputime.Table, error) {
	if err := sleep(ctx, time.Until(at)); err != nil {
		return nil, err
	}
	return cputime.Read()
}

func sleep(ctx context.Context, length time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(length):
		return nil
	}
}

// clientView sums up the client's seconds in [from, until). The last one is finished up to a client's deadline later.
func clientView(ctx context.Context, stack endpoints.Stack, from, until time.Time) (Window, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("the client's last second never came"))
	defer cancel()
	window := Window{Seconds: int(until.Sub(from).Seconds())}
	var p50, p99 []float64
	err := sli.Follow(ctx, stack.Endpoints.Loadgen, from, func(second sli.Second) error {
		if !second.Second.Before(until) {
			return sli.ErrStop
		}
		window.Sent += second.Sent - second.Excluded
		window.Orders += second.Good
		window.Completed += second.Good + second.Slow
		p50, p99 = append(p50, second.P50Millis), append(p99, second.P99Millis)
		return nil
	})
	if err != nil {
		return window, errors.Join(err, context.Cause(ctx))
	}
	if len(p50) != window.Seconds {
		return window, fmt.Errorf("the client saw %d seconds of %d", len(p50), window.Seconds)
	}
	window.P50Millis, window.P99Millis = stats.Median(p50), stats.Median(p99)
	return window, nil
}

// perOrder divides what each group has used by the orders.
func perOrder(first, last cputime.Table, list []process, supervisor, orders int) (map[string]float64, error) {
	if orders == 0 {
		return nil, nil
	}
	used := map[string]time.Duration{}
	var children time.Duration
	for _, one := range list {
		spent, err := cputime.Between(first, last, one.PID)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.Name, err)
		}
		group := groupOf(one)
		used[group] += spent
		if group == Services {
			used[one.Name] = spent
		}
		children += spent
	}
	whole, err := cputime.Between(first, last, supervisor)
	if err != nil {
		return nil, fmt.Errorf("the supervisor: %w", err)
	}
	used[Overseer] = whole - children
	result := map[string]float64{}
	for name, spent := range used {
		result[name] = float64(spent) / float64(time.Millisecond) / float64(orders)
	}
	return result, nil
}
