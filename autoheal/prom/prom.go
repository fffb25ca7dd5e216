// Package prom gives the healer Prometheus' raw samples through the shared query client.
package prom

import (
	"context"
	"math"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/observability/query"
)

// Prometheus implements evidence.Sampler.
type Prometheus struct{ client *query.Prometheus }

// New makes a client; it contacts nobody.
func New(cfg query.Config) (*Prometheus, error) {
	client, err := query.NewPrometheus(cfg)
	if err != nil {
		return nil, err
	}
	return &Prometheus{client}, nil
}

// Samples evaluates a range selector now. Samples that are no finite number are left out: they say nothing, and could
// not be recorded. The list is empty when no series matched; errors are *query.Error and carry the selector.
func (p *Prometheus) Samples(ctx context.Context, selector string) ([]evidence.Series, error) {
	found, err := p.client.Raw(ctx, selector)
	if err != nil {
		return nil, err
	}
	series := make([]evidence.Series, len(found))
	for i, one := range found {
		series[i].Labels = one.Labels
		for _, point := range one.Points {
			if !math.IsNaN(point.Value) && !math.IsInf(point.Value, 0) {
				series[i].Samples = append(series[i].Samples, evidence.Sample{At: point.At, Value: point.Value})
			}
		}
	}
	return series, nil
}
