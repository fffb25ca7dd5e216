package onstack

import (
	"context"
	"errors"
	"fmt"

	"github.com/faultline-lab/faultline/e2e/bench/stats"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// The arms.
const (
	Off = "off"
	On  = "on"
)

// Goal is how much processor time telemetry may add to an order.
const Goal = 1.15

// steady is the share of good checkouts under which a round did not see the rate that was asked for.
const steady = 0.95

// Round is one measurement.
type Round struct {
	Round int    `json:"round"`
	Arm   string `json:"arm"`
	Window
}

// Row is one arm.
type Row struct {
	Arm             string       `json:"arm"`
	Services        stats.Spread `json:"services_cpu_ms_per_order"`
	WithPostgres    stats.Spread `json:"services_and_postgres_cpu_ms_per_order"`
	P50             stats.Spread `json:"p50_ms"`
	P99             stats.Spread `json:"p99_ms"`
	DisturbedRounds int          `json:"disturbed_rounds"` // in which under 95 % were good
}

// Cost is the part's result: telemetry on against off, at a fixed rate.
type Cost struct {
	Rate int   `json:"checkouts_per_second"`
	Rows []Row `json:"rows"`
	// The ratios are on / off, round by round; P99 is of the rounds' p99.
	Services     stats.Comparison `json:"services_on_to_off"`
	WithPostgres stats.Comparison `json:"services_and_postgres_on_to_off"`
	P99          stats.Comparison `json:"p99_on_to_off"`
	Rounds       []Round          `json:"rounds"`
}

// Met says whether the goal is met.
func (c Cost) Met() bool { return c.Services.Ratio.N > 0 && c.Services.Ratio.Median <= Goal }

// MeasureTelemetry measures both arms in each round, in an order that the seed shuffles, each on a stack of its own.
func MeasureTelemetry(ctx context.Context, cfg Config) (Cost, error) {
	result := Cost{Rate: cfg.Rate}
	for i, order := range stats.Order([]string{Off, On}, cfg.Rounds, cfg.Seed) {
		for _, arm := range order {
			window, err := cfg.arm(ctx, i+1, arm)
			if err != nil {
				return result, fmt.Errorf("round %d, telemetry %s: %w", i+1, arm, err)
			}
			result.Rounds = append(result.Rounds, Round{Round: i + 1, Arm: arm, Window: window})
			fmt.Fprintf(cfg.Progress, "telemetry   round %d of %d  %-3s  %.3f ms of CPU per order  p99 %.0f ms  %.1f %% good\n",
				i+1, cfg.Rounds, arm, window.CPUMillis[Services], window.P99Millis, 100*window.Good())
		}
	}
	result.summarise(cfg.Seed)
	return result, nil
}

func (c Config) arm(ctx context.Context, round int, arm string) (window Window, err error) {
	name := fmt.Sprintf("%02d-%s", round, arm)
	err = c.onStack(ctx, name, []string{"--telemetry=" + arm}, func(ctx context.Context, stack endpoints.Stack) error {
		list, err := processes(ctx, stack)
		if err != nil {
			return err
		}
		if err := complete(list); err != nil {
			return err
		}
		if err := setRate(ctx, stack, c.Rate); err != nil {
			return err
		}
		if err := sleep(ctx, c.WarmUp); err != nil {
			return err
		}
		measured, from, err := measure(ctx, stack, c.Measure)
		if err != nil {
			return err
		}
		if measured.Orders == 0 {
			return errors.New("not one checkout was good")
		}
		window = measured
		return verify(ctx, stack, arm, from)
	})
	return window, err
}

func (c *Cost) summarise(seed uint64) {
	services := func(r Round) float64 { return r.CPUMillis[Services] }
	withPostgres := func(r Round) float64 { return r.CPUMillis[Services] + r.CPUMillis[Postgres] }
	p50 := func(r Round) float64 { return r.P50Millis }
	p99 := func(r Round) float64 { return r.P99Millis }
	for _, arm := range []string{Off, On} {
		row := Row{
			Arm: arm, Services: stats.Of(c.of(arm, services)), WithPostgres: stats.Of(c.of(arm, withPostgres)),
			P50: stats.Of(c.of(arm, p50)), P99: stats.Of(c.of(arm, p99)),
		}
		for _, round := range c.Rounds {
			if round.Arm == arm && round.Good() < steady {
				row.DisturbedRounds++
			}
		}
		c.Rows = append(c.Rows, row)
	}
	c.Services = stats.Compare(c.of(On, services), c.of(Off, services), seed)
	c.WithPostgres = stats.Compare(c.of(On, withPostgres), c.of(Off, withPostgres), seed)
	c.P99 = stats.Compare(c.of(On, p99), c.of(Off, p99), seed)
}

// of picks one figure of every round of an arm, in the order of the rounds.
func (c *Cost) of(arm string, figure func(Round) float64) []float64 {
	var values []float64
	for _, round := range c.Rounds {
		if round.Arm == arm {
			values = append(values, figure(round))
		}
	}
	return values
}
