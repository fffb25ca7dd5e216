package onstack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Step is the whole path at one rate.
type Step struct {
	Rate int `json:"checkouts_per_second"`
	Window
}

// Path is the part's result: the path through four services, for the record.
type Path struct {
	Steps []Step `json:"steps"`
	// Highest is the highest rate at which at least 95 % were good; 0 when there was none.
	Highest int `json:"highest_steady_rate"`
}

// settle is how long a new rate runs before it is measured: what waits at the old one is answered within a second.
const settle = 3 * time.Second

// MeasurePath raises the rate step by step on one stack, with telemetry on as it runs, and ends with the first step that is
// not steady.
func MeasurePath(ctx context.Context, cfg Config, rates []int) (result Path, err error) {
	if len(rates) == 0 {
		return result, errors.New("the path needs at least one rate")
	}
	err = cfg.onStack(ctx, "path", []string{"--telemetry=" + On}, func(ctx context.Context, stack endpoints.Stack) error {
		if err := sleep(ctx, cfg.WarmUp); err != nil {
			return err
		}
		for _, rate := range rates {
			step, err := cfg.step(ctx, stack, rate, settle)
			if err != nil {
				return fmt.Errorf("%d a second: %w", rate, err)
			}
			result.Steps = append(result.Steps, step)
			fmt.Fprintf(cfg.Progress, "path        %3d checkouts/s  %.1f %% good  p50 %.0f ms  p99 %.0f ms\n",
				rate, 100*step.Good(), step.P50Millis, step.P99Millis)
			if step.Good() < steady {
				return nil
			}
			result.Highest = rate
		}
		return nil
	})
	return result, err
}

func (c Config) step(ctx context.Context, stack endpoints.Stack, rate int, settle time.Duration) (Step, error) {
	if err := setRate(ctx, stack, rate); err != nil {
		return Step{}, err
	}
	if err := sleep(ctx, settle); err != nil {
		return Step{}, err
	}
	window, _, err := measure(ctx, stack, c.Measure)
	return Step{Rate: rate, Window: window}, err
}
