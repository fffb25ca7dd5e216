package budget

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/slo/internal/figure"
)

// Target is one SLO as far as its budget is concerned.
type Target struct {
	Name, Workload string
	Objective      float64       // between 0 and 1
	Period         time.Duration // that the budget is for; rolling
	// Windows are those over which the burn rate is told, the shortest first.
	Windows []time.Duration
	// ErrorRatio is PromQL for the share of bad events in a window that ends now: one number, or none without events.
	ErrorRatio func(window time.Duration) string
	// Events is PromQL for the bad events and all events a second, as means over a window; nil where no events are counted.
	Events func(window time.Duration) (bad, total string)
	// Measured is PromQL that has a value at every moment at which somebody measured, whether there were events or not.
	Measured string
}

// Prometheus answers queries; *query.Prometheus does.
type Prometheus interface {
	Value(ctx context.Context, promql string, at time.Time) (float64, error)
	Range(ctx context.Context, promql string, from, to time.Time, step time.Duration) ([]query.Series, error)
}

// grid is at how many points of the period Prometheus is asked whether it measured: of 6 h each 30 s, of 30 days each hour.
const grid = 720

// Observe asks for everything. What Prometheus has no data for is unknown; that it does not answer is an error.
func Observe(ctx context.Context, p Prometheus, t Target, at time.Time) (Observation, error) {
	o := Observation{ErrorRatio: figure.Unknown(), Bad: figure.Unknown(), Total: figure.Unknown()}
	var err error
	if o.Since, o.Covered, err = covered(ctx, p, t, at); err != nil {
		return o, fmt.Errorf("SLO %s: %w", t.Name, err)
	}
	ask := asker{ctx: ctx, prometheus: p, at: at}
	o.ErrorRatio = ask.value(t.ErrorRatio(t.Period))
	if t.Events != nil {
		// The means are over the whole window, however little of it was measured.
		bad, total := t.Events(t.Period)
		o.Bad = ask.value(bad) * figure.Figure(t.Period.Seconds())
		o.Total = ask.value(total) * figure.Figure(t.Period.Seconds())
	}
	for _, window := range t.Windows {
		o.Burns = append(o.Burns, Burn{Window: window, ErrorRatio: ask.value(t.ErrorRatio(window)), Rate: figure.Unknown()})
	}
	if ask.err != nil {
		return o, fmt.Errorf("SLO %s: %w", t.Name, ask.err)
	}
	return o, nil
}

// covered says since when, and for how long in all, the SLO was measured within the period: on a grid of moments, with the
// beginning looked up more finely.
func covered(ctx context.Context, p Prometheus, t Target, at time.Time) (time.Time, time.Duration, error) {
	step := max(t.Period/grid, time.Second)
	points, err := measured(ctx, p, t.Measured, at.Add(-t.Period), at, step)
	if err != nil || len(points) == 0 {
		return time.Time{}, 0, err
	}
	since := points[0]
	gaps := time.Duration(0)
	for i, point := range points[1:] {
		// A point stands for the step before it.
		gaps += max(0, point.Sub(points[i])-step)
	}
	// The last stretch without data is a gap too; less than a step may only be the grid's.
	if silent := at.Sub(points[len(points)-1]); silent >= step {
		gaps += silent
	}
	since, err = beginning(ctx, p, t, at.Add(-t.Period), since, step)
	if err != nil {
		return time.Time{}, 0, err
	}
	return since, max(at.Sub(since)-gaps, 0), nil
}

// beginning looks up the first moment with a value ever more finely, down to a second: there is one at since, and none a
// step before, unless the period begins there.
func beginning(ctx context.Context, p Prometheus, t Target, from, since time.Time, step time.Duration) (time.Time, error) {
	for since.After(from) && step > time.Second {
		before := later(from, since.Add(-step))
		step = max(step/60, time.Second)
		finer, err := measured(ctx, p, t.Measured, before, since, step)
		if err != nil {
			return since, err
		}
		if len(finer) > 0 {
			since = finer[0]
		}
	}
	return since, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// measured lists the moments of a grid at which the expression has a value, oldest first.
func measured(ctx context.Context, p Prometheus, promql string, from, to time.Time, step time.Duration) ([]time.Time, error) {
	series, err := p.Range(ctx, promql, from, to, step)
	if err != nil || len(series) == 0 {
		return nil, err
	}
	if len(series) > 1 {
		return nil, fmt.Errorf("one series was expected of %q and %d came: aggregate them", promql, len(series))
	}
	var moments []time.Time
	for _, point := range series[0].Points {
		if !math.IsNaN(point.Value) {
			moments = append(moments, point.At)
		}
	}
	return moments, nil
}

// asker keeps the first error, so that the questions read as a list.
type asker struct {
	ctx        context.Context
	prometheus Prometheus
	at         time.Time
	err        error
}

// value is unknown where there is no data.
func (a *asker) value(promql string) figure.Figure {
	if a.err != nil {
		return figure.Unknown()
	}
	value, err := a.prometheus.Value(a.ctx, promql, a.at)
	switch {
	case errors.Is(err, query.ErrNoData):
		return figure.Unknown()
	case err != nil:
		a.err = err
		return figure.Unknown()
	}
	return figure.Figure(value)
}
