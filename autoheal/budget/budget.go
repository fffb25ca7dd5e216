package budget

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/slo/policy"
	"github.com/faultline-lab/faultline/slo/rulefile"
)

// Prometheus evaluates PromQL at one time; the zero time means now.
type Prometheus interface {
	Instant(ctx context.Context, promql string, at time.Time) ([]query.Sample, error)
}

// Config holds what a gate needs; all fields but Timeout are required.
type Config struct {
	Prometheus Prometheus
	Policy     policy.Policy
	// Edge is the workload whose SLO the customers feel: what the healer's actions cost is held against its budget.
	Edge string
	// Timeout bounds one reading; 500 ms by default: an action waits for it.
	Timeout time.Duration
}

// Gate reads the budgets.
type Gate struct{ cfg Config }

// New makes a gate; it contacts nobody.
func New(cfg Config) (*Gate, error) {
	if cfg.Prometheus == nil {
		return nil, errors.New("budget: no Prometheus to ask was given")
	}
	if cfg.Edge == "" {
		return nil, errors.New("budget: the edge's workload is missing")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 500 * time.Millisecond
	}
	return &Gate{cfg}, nil
}

// Read gives the strictest verdict of all SLOs, and how many checkouts may fail within the period of the edge's. An error
// means that nobody knows, which is neither a full budget nor an empty one.
func (g *Gate) Read(ctx context.Context) (engine.Budget, error) {
	ctx, cancel := context.WithTimeout(ctx, g.cfg.Timeout)
	defer cancel()
	left, err := g.cfg.Prometheus.Instant(ctx, rulefile.Remaining, time.Time{})
	if err != nil {
		return engine.Budget{}, fmt.Errorf("error budgets: %w", err)
	}
	if len(left) == 0 {
		return engine.Budget{}, fmt.Errorf("error budgets: Prometheus has no %s: are the rules of `slo generate` loaded?", rulefile.Remaining)
	}
	allowed, err := g.allowed(ctx)
	if err != nil {
		return engine.Budget{}, err
	}
	return engine.Budget{Verdict: g.strictest(left), Allowed: allowed}, nil
}

func (g *Gate) strictest(left []query.Sample) policy.Verdict {
	var (
		levels  []policy.Level
		reasons = map[policy.Level][]string{}
	)
	for _, sample := range left {
		verdict := g.cfg.Policy.Decide(policy.Budget{Remaining: sample.Value, Lasts: -1})
		levels = append(levels, verdict.Level)
		reasons[verdict.Level] = append(reasons[verdict.Level], sample.Labels["slo"]+": "+verdict.Reason)
	}
	level := policy.Strictest(levels...)
	return policy.Verdict{Level: level, Reason: strings.Join(reasons[level], "; ")}
}

// allowed is (1 - objective) of the checkouts of a whole period, at the rate of the last hour (Google, The Site Reliability
// Workbook, chapter 2, "error budget").
func (g *Gate) allowed(ctx context.Context) (float64, error) {
	promql := fmt.Sprintf(`(1 - max(%s{workload=%q})) * max(%s{workload=%q}) * sum(rate(http_server_request_duration_seconds_count{`+
		`job=%q,http_request_method="POST",http_route="/checkout"}[1h]))`, rulefile.Objective, g.cfg.Edge, rulefile.Period, g.cfg.Edge, g.cfg.Edge)
	found, err := g.cfg.Prometheus.Instant(ctx, promql, time.Time{})
	if err != nil {
		return 0, fmt.Errorf("error budgets: %w", err)
	}
	if len(found) != 1 || !(found[0].Value > 0) {
		return 0, errors.New("error budgets: nobody knows how many checkouts there are in a period")
	}
	return found[0].Value, nil
}
