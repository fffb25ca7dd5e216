package query

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Prometheus asks one Prometheus.
type Prometheus struct {
	endpoint *endpoint
	api      v1.API
}

// NewPrometheus checks the configuration; it contacts nobody.
func NewPrometheus(cfg Config) (*Prometheus, error) {
	endpoint, err := newEndpoint("prometheus", cfg)
	if err != nil {
		return nil, err
	}
	client, err := api.NewClient(api.Config{Address: cfg.URL, Client: endpoint.client})
	if err != nil {
		return nil, fmt.Errorf("query: prometheus: %w", err)
	}
	return &Prometheus{endpoint, v1.NewAPI(bounded{client, endpoint})}, nil
}

// bounded is the library's client with our limits and our errors.
type bounded struct {
	api.Client
	endpoint *endpoint
}

func (b bounded) Do(ctx context.Context, request *http.Request) (*http.Response, []byte, error) {
	return b.endpoint.do(request.WithContext(ctx))
}

// Instant evaluates PromQL at one time; the zero time means now. The list is empty when no series matched.
func (p *Prometheus) Instant(ctx context.Context, promql string, at time.Time) ([]Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, p.endpoint.timeout)
	defer cancel()
	if at.IsZero() {
		at = time.Now()
	}
	value, _, _, err := p.api.Query(ctx, promql, at)
	if err != nil {
		return nil, p.endpoint.failed(promql, err)
	}
	switch value := value.(type) {
	case model.Vector:
		samples := make([]Sample, len(value))
		for i, sample := range value {
			samples[i] = Sample{Labels: labels(sample.Metric), At: sample.Timestamp.Time(), Value: float64(sample.Value)}
		}
		return samples, nil
	case *model.Scalar:
		return []Sample{{Labels: Labels{}, At: value.Timestamp.Time(), Value: float64(value.Value)}}, nil
	default:
		return nil, p.endpoint.failed(promql, fmt.Errorf("the answer is a %s: ask for a vector or a scalar", value.Type()))
	}
}

// Value evaluates PromQL that gives exactly one number. None, or the NaN of a ratio of nothing to nothing, is
// ErrNoData; more than one is an error, because picking one would be a guess.
func (p *Prometheus) Value(ctx context.Context, promql string, at time.Time) (float64, error) {
	samples, err := p.Instant(ctx, promql, at)
	if err != nil {
		return 0, err
	}
	if len(samples) > 1 {
		return 0, p.endpoint.failed(promql, fmt.Errorf("one value was expected and %d series came: aggregate them", len(samples)))
	}
	if len(samples) == 0 || math.IsNaN(samples[0].Value) {
		return 0, p.endpoint.failed(promql, ErrNoData)
	}
	return samples[0].Value, nil
}

// Range evaluates PromQL at every step between two times. The list is empty when no series matched.
func (p *Prometheus) Range(ctx context.Context, promql string, from, to time.Time, step time.Duration) ([]Series, error) {
	ctx, cancel := context.WithTimeout(ctx, p.endpoint.timeout)
	defer cancel()
	value, _, _, err := p.api.QueryRange(ctx, promql, v1.Range{Start: from, End: to, Step: step})
	if err != nil {
		return nil, p.endpoint.failed(promql, err)
	}
	return p.matrix(promql, value)
}

// Raw gives the samples that a range selector (`up[5s]`) finds now, as they were scraped: with their own times, which
// is how a stale sample is told from a fresh one. The list is empty when no series matched.
func (p *Prometheus) Raw(ctx context.Context, selector string) ([]Series, error) {
	ctx, cancel := context.WithTimeout(ctx, p.endpoint.timeout)
	defer cancel()
	value, _, _, err := p.api.Query(ctx, selector, time.Now())
	if err != nil {
		return nil, p.endpoint.failed(selector, err)
	}
	return p.matrix(selector, value)
}

func (p *Prometheus) matrix(promql string, value model.Value) ([]Series, error) {
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, p.endpoint.failed(promql, fmt.Errorf("the answer is a %s, not a matrix", value.Type()))
	}
	series := make([]Series, len(matrix))
	for i, stream := range matrix {
		series[i] = Series{Labels: labels(stream.Metric), Points: make([]Point, len(stream.Values))}
		for j, pair := range stream.Values {
			series[i].Points[j] = Point{At: pair.Timestamp.Time(), Value: float64(pair.Value)}
		}
	}
	return series, nil
}

// Alerts lists the alerts that are pending or firing.
func (p *Prometheus) Alerts(ctx context.Context) ([]Alert, error) {
	ctx, cancel := context.WithTimeout(ctx, p.endpoint.timeout)
	defer cancel()
	const question = "alerts"
	result, err := p.api.Alerts(ctx)
	if err != nil {
		return nil, p.endpoint.failed(question, err)
	}
	alerts := make([]Alert, len(result.Alerts))
	for i, alert := range result.Alerts {
		value, err := strconv.ParseFloat(alert.Value, 64)
		if err != nil {
			return nil, p.endpoint.failed(question, fmt.Errorf("value of %s: %w", alert.Labels, err))
		}
		alerts[i] = Alert{
			Labels: labels(alert.Labels), Annotations: labels(alert.Annotations),
			State: string(alert.State), ActiveAt: alert.ActiveAt, Value: value,
		}
	}
	return alerts, nil
}

// Exemplars lists the exemplars of the series that PromQL selects, oldest first within each series.
func (p *Prometheus) Exemplars(ctx context.Context, promql string, from, to time.Time) ([]Exemplar, error) {
	ctx, cancel := context.WithTimeout(ctx, p.endpoint.timeout)
	defer cancel()
	results, err := p.api.QueryExemplars(ctx, promql, from, to)
	if err != nil {
		return nil, p.endpoint.failed(promql, err)
	}
	var exemplars []Exemplar
	for _, result := range results {
		series := labels(result.SeriesLabels)
		for _, exemplar := range result.Exemplars {
			exemplars = append(exemplars, Exemplar{
				Series: series, At: exemplar.Timestamp.Time(), Value: float64(exemplar.Value),
				TraceID: string(exemplar.Labels["trace_id"]), SpanID: string(exemplar.Labels["span_id"]),
			})
		}
	}
	return exemplars, nil
}

// Targets lists what Prometheus scrapes now.
func (p *Prometheus) Targets(ctx context.Context) ([]Target, error) {
	ctx, cancel := context.WithTimeout(ctx, p.endpoint.timeout)
	defer cancel()
	result, err := p.api.Targets(ctx)
	if err != nil {
		return nil, p.endpoint.failed("targets", err)
	}
	targets := make([]Target, len(result.Active))
	for i, target := range result.Active {
		targets[i] = Target{
			Labels: labels(target.Labels), ScrapeURL: target.ScrapeURL, Up: target.Health == v1.HealthGood,
			LastError: target.LastError, LastScrape: target.LastScrape,
		}
	}
	return targets, nil
}

// labels copies a label set, or a metric, which is one.
func labels[Set ~map[model.LabelName]model.LabelValue](set Set) Labels {
	copied := make(Labels, len(set))
	for name, value := range set {
		copied[string(name)] = string(value)
	}
	return copied
}
