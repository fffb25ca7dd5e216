package onstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

// CapacityGoal is how far the prediction may be from what was observed, as a share of the latter.
const CapacityGoal = 0.15

// Steps of the search: first coarse ones up to a rate that is not steady, then fine ones below it. No checkout waits longer
// than a second, so what a step leaves behind is gone when the next has settled; but a queue of a pool that is only a little too
// small takes some seconds to grow as long as a caller's patience, and the step must see it.
const (
	coarse         = 10
	fine           = 2
	highest        = 250 // whatever is steady there has another bottleneck
	capacitySettle = 8 * time.Second
	hindsight      = 30 * time.Second // what the prediction looks back at
)

// Capacity is `slo capacity`'s prediction, made at one rate, against the rate at which the stack was found to be full.
type Capacity struct {
	Rate int `json:"predicted_at_checkouts_per_second"`
	// Predicted is the rate at which the first pool is full, as `slo capacity` has it; First names that pool.
	Predicted float64 `json:"predicted_saturation"`
	First     string  `json:"first_to_saturate"`
	Report    string  `json:"report"` // the report's whole JSON
	// Observed is the highest rate at which at least 95 % of the checkouts were good, and Failing the next that was tried.
	Observed int `json:"observed_saturation"`
	Failing  int `json:"first_rate_not_steady"`
	// Plateau is how many checkouts a second were completed, late ones included, at the highest rate that was tried.
	Plateau float64 `json:"completed_per_second_beyond"`
	Steps   []Step  `json:"steps"`
}

// Off is how far the prediction is from what was observed, as a share of that: above zero it promised too much.
func (c Capacity) Off() float64 { return c.Predicted/float64(c.Observed) - 1 }

// Met says whether the prediction is as near as it must be.
func (c Capacity) Met() bool { return math.Abs(c.Off()) <= CapacityGoal }

// MeasureCapacity asks `slo capacity` at the usual rate, and then finds out. The healer does not run: it would look into the
// overload.
func MeasureCapacity(ctx context.Context, cfg Config) (result Capacity, err error) {
	result.Rate = cfg.Rate
	err = cfg.onStack(ctx, "capacity", []string{"--replicas=autoheal=0"}, func(ctx context.Context, stack endpoints.Stack) error {
		if err := setRate(ctx, stack, cfg.Rate); err != nil {
			return err
		}
		if err := sleep(ctx, cfg.WarmUp+hindsight); err != nil {
			return err
		}
		if err := result.predict(ctx, cfg.Root, stack); err != nil {
			return err
		}
		fmt.Fprintf(cfg.Progress, "capacity    at %d checkouts/s: %s is full at %.1f/s\n", cfg.Rate, result.First, result.Predicted)
		return result.observe(func(rate int) (Step, error) {
			step, err := cfg.step(ctx, stack, rate, capacitySettle)
			if err != nil {
				return step, fmt.Errorf("%d a second: %w", rate, err)
			}
			fmt.Fprintf(cfg.Progress, "capacity    %3d checkouts/s  %5.1f %% good  %5.1f/s completed  p50 %.0f ms  %.2f cores busy\n", rate,
				100*step.Good(), step.CompletedPerSecond(), step.P50Millis, step.Cores())
			return step, nil
		})
	})
	return result, err
}

// predict runs the command itself: what it prints is what is held against the truth.
func (c *Capacity) predict(ctx context.Context, root string, stack endpoints.Stack) error {
	program := filepath.Join(root, ".faultline", "bin", "slo")
	out, err := exec.CommandContext(ctx, program, "capacity", "--prometheus-url="+stack.Endpoints.Prometheus, "--window="+hindsight.String(), "--output=json").Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			err = fmt.Errorf("%w: %s", err, failed.Stderr)
		}
		return fmt.Errorf("slo capacity: %w", err)
	}
	var report struct {
		First      string   `json:"first_to_saturate"`
		Saturation *float64 `json:"saturation_requests_per_second"`
		Doubts     []string `json:"doubts"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return fmt.Errorf("slo capacity: %w", err)
	}
	if report.Saturation == nil || len(report.Doubts) > 0 {
		return fmt.Errorf("slo capacity does not trust its own figures: %q", report.Doubts)
	}
	c.Predicted, c.First, c.Report = *report.Saturation, report.First, string(out)
	return nil
}

// observe finds the highest steady rate. It knows nothing of the prediction.
func (c *Capacity) observe(try func(rate int) (Step, error)) error {
	attempt := func(rate int) (bool, error) {
		step, err := try(rate)
		if err != nil {
			return false, err
		}
		c.Steps = append(c.Steps, step)
		return step.Good() >= steady, nil
	}
	last := c.Rate
	for rate := last + coarse; ; rate += coarse {
		if rate > highest {
			return fmt.Errorf("still steady at %d a second: no pool of this stack can be what limits it", last)
		}
		good, err := attempt(rate)
		if err != nil {
			return err
		}
		if !good {
			c.Failing, c.Plateau = rate, c.Steps[len(c.Steps)-1].CompletedPerSecond()
			break
		}
		last = rate
	}
	for rate := last + fine; rate < c.Failing; rate += fine {
		good, err := attempt(rate)
		if err != nil {
			return err
		}
		if !good {
			c.Failing = rate
			break
		}
		last = rate
	}
	c.Observed = last
	slices.SortFunc(c.Steps, func(a, b Step) int { return a.Rate - b.Rate })
	return nil
}
