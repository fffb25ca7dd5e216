package budget_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/budget"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/slo/policy"
)

type answers struct {
	left    map[string]float64
	allowed []float64
	err     error
}

func (a answers) Instant(_ context.Context, promql string, _ time.Time) ([]query.Sample, error) {
	if a.err != nil {
		return nil, a.err
	}
	var samples []query.Sample
	if strings.Contains(promql, "rate(") {
		for _, v := range a.allowed {
			samples = append(samples, query.Sample{Value: v})
		}
		return samples, nil
	}
	for slo, v := range a.left {
		samples = append(samples, query.Sample{Labels: query.Labels{"slo": slo}, Value: v})
	}
	return samples, nil
}

func TestTheGate(t *testing.T) {
	for name, tc := range map[string]struct {
		answers answers
		level   policy.Level // empty: nobody knows
		reason  string
	}{
		"is free with whole budgets":                   {answers{left: map[string]float64{"checkout": 1, "healer": 0.9}, allowed: []float64{2160}}, policy.Free, "checkout"},
		"is as strict as the emptiest":                 {answers{left: map[string]float64{"checkout": -3, "healer": 0.9}, allowed: []float64{2160}}, policy.Freeze, "checkout: -300.0 %"},
		"does not know where no budget is recorded":    {answers{allowed: []float64{2160}}, "", "are the rules"},
		"does not know where Prometheus is away":       {answers{err: errors.New("connection refused")}, "", "connection refused"},
		"does not know where there are no checkouts":   {answers{left: map[string]float64{"checkout": 1}}, "", "how many checkouts"},
		"does not know where the rate is of nothing":   {answers{left: map[string]float64{"checkout": 1}, allowed: []float64{0}}, "", "how many checkouts"},
		"is cautious where half of the budget is gone": {answers{left: map[string]float64{"checkout": 0.4}, allowed: []float64{9}}, policy.Cautious, "40.0 %"},
	} {
		t.Run(name, func(t *testing.T) {
			rules, err := policy.Default()
			if err != nil {
				t.Fatal(err)
			}
			gate, err := budget.New(budget.Config{Prometheus: tc.answers, Policy: rules, Edge: "storefront"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := gate.Read(t.Context())
			if (err != nil) != (tc.level == "") {
				t.Fatalf("level %q, error %v", got.Level, err)
			}
			said := got.Reason
			if err != nil {
				said = err.Error()
			}
			if got.Level != tc.level || !strings.Contains(said, tc.reason) {
				t.Errorf("level %q: %s; want %q: ...%s...", got.Level, said, tc.level, tc.reason)
			}
			if err == nil && got.Allowed != tc.answers.allowed[0] {
				t.Errorf("allowed %v", got.Allowed)
			}
		})
	}
}
