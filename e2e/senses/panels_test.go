package senses

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/observability/grafana"
	"github.com/faultline-lab/faultline/observability/query"
)

// checkPanels asks every query of every panel, as Grafana would for the time since the stack began, and wants an answer with
// something in it from each.
func (s *live) checkPanels(t *testing.T) {
	asked := 0
	for _, dashboard := range grafana.Dashboards() {
		for _, panel := range dashboard.Panels() {
			for _, question := range panel.Queries {
				asked++
				if err := s.answer(t, question); err != nil {
					t.Errorf("dashboard %q, panel %q, query %s: %s: %v: mend the query, or what should emit it",
						panel.Dashboard, panel.Title, question.RefID, question.Expr, err)
				}
			}
		}
	}
	t.Logf("%d queries asked", asked)
}

var errEmpty = errors.New("the answer is empty")

func (s *live) answer(t *testing.T, question grafana.Query) error {
	switch now := time.Now(); {
	case question.Datasource == grafana.Prometheus && question.Instant:
		samples, err := s.prometheus.Instant(t.Context(), question.Expr, now)
		return something(err, values(samples))
	case question.Datasource == grafana.Prometheus:
		series, err := s.prometheus.Range(t.Context(), question.Expr, s.began, now, time.Second)
		return something(err, points(series))
	case question.Datasource == grafana.Loki:
		lines, err := s.loki.QueryRange(t.Context(), question.Expr, s.began, now, 10)
		if err == nil && len(lines) == 0 {
			err = errEmpty
		}
		return err
	default:
		return fmt.Errorf("nothing here can ask %q", question.Datasource)
	}
}

// something wants one number: a NaN is drawn as nothing.
func something(err error, numbers []float64) error {
	if err != nil {
		return err
	}
	for _, number := range numbers {
		if !math.IsNaN(number) {
			return nil
		}
	}
	if len(numbers) > 0 {
		return fmt.Errorf("%w: %d values, and all are NaN", errEmpty, len(numbers))
	}
	return errEmpty
}

func values(samples []query.Sample) []float64 {
	var all []float64
	for _, sample := range samples {
		all = append(all, sample.Value)
	}
	return all
}

func points(series []query.Series) []float64 {
	var all []float64
	for _, one := range series {
		for _, point := range one.Points {
			all = append(all, point.Value)
		}
	}
	return all
}
