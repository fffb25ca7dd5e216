package runner

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/sli"
)

// maxAge is how old the client's last finished second may be: a second ends up to a client deadline after it is over.
const maxAge = 4 * time.Second

// unmet lists in words what of the hypothesis does not hold now; empty means that all of it holds. What cannot be
// known does not hold.
func (r *Runner) unmet(ctx context.Context) []string {
	hypothesis := r.experiment.Hypothesis
	missing := r.unmetConditions(ctx, hypothesis.SteadyState)
	if why := r.unmetClient(ctx, hypothesis.Client.GoodSeconds); why != "" {
		missing = append(missing, why)
	}
	return missing
}

func (r *Runner) unmetConditions(ctx context.Context, conditions []experiment.Condition) []string {
	var missing []string
	for _, condition := range conditions {
		values, err := r.metrics.Values(ctx, condition.Query)
		switch {
		case err != nil:
			missing = append(missing, fmt.Sprintf("%s: unknown: %v", name(condition), err))
		case len(values) == 0:
			missing = append(missing, fmt.Sprintf("%s: unknown: no such series: %s", name(condition), condition.Query))
		case !condition.Holds(values):
			missing = append(missing, fmt.Sprintf("%s: %s, but it is %s", name(condition), condition, list(values)))
		}
	}
	return missing
}

func name(c experiment.Condition) string {
	if c.Says != "" {
		return c.Says
	}
	return "steady state"
}

func list(values []float64) string {
	words := make([]string, len(values))
	for i, value := range values {
		words[i] = fmt.Sprintf("%.4g", value)
	}
	return strings.Join(words, ", ")
}

func (r *Runner) unmetClient(ctx context.Context, goodSeconds int) string {
	since := time.Now().Add(-time.Duration(goodSeconds)*time.Second - 2*maxAge)
	seconds, err := sli.Read(ctx, r.stack.Endpoints.Loadgen, since)
	if err != nil {
		return fmt.Sprintf("the client's seconds: unknown: %v", err)
	}
	if len(seconds) == 0 || time.Since(seconds[len(seconds)-1].Second) > maxAge {
		return "the client's seconds: unknown: none has finished lately"
	}
	var streak sli.Streak
	for _, second := range seconds {
		streak.Add(second)
	}
	if streak.Len() < goodSeconds {
		return fmt.Sprintf("the client has seen %d good seconds running, and %d are wanted", streak.Len(), goodSeconds)
	}
	return ""
}

// aborts returns the first abort condition that holds, in words; empty when none does. An abort condition that is
// unknown does not hold: a Prometheus that hiccups must not end the experiment.
func (r *Runner) aborts(ctx context.Context) string {
	for _, condition := range r.experiment.Abort {
		values, err := r.metrics.Values(ctx, condition.Query)
		if err == nil && condition.Holds(values) {
			return fmt.Sprintf("%s: %s (it is %s)", name(condition), condition, list(values))
		}
	}
	return ""
}
