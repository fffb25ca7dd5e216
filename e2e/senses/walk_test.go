package senses

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/observability/query"
)

// exemplar is one measurement with the trace that it leads to.
type exemplar struct {
	Series  query.Labels
	Value   float64
	TraceID string
	SpanID  string
}

// exemplars asks for those of some series, and reads the trace's id from the label that Grafana is told to read.
func (s *live) exemplars(t *testing.T, series string, since time.Time) ([]exemplar, error) {
	t.Helper()
	var answer struct {
		Data []struct {
			SeriesLabels query.Labels `json:"seriesLabels"`
			Exemplars    []struct {
				Labels query.Labels `json:"labels"`
				Value  float64      `json:"value,string"`
			} `json:"exemplars"`
		} `json:"data"`
	}
	params := url.Values{
		"query": {series}, "start": {since.UTC().Format(time.RFC3339Nano)}, "end": {time.Now().UTC().Format(time.RFC3339Nano)},
	}
	err := looptest.GetJSON(t.Context(), s.stack.Endpoints.Prometheus+"/api/v1/query_exemplars?"+params.Encode(), &answer)
	if err != nil {
		return nil, err
	}
	var found []exemplar
	for _, one := range answer.Data {
		for _, e := range one.Exemplars {
			found = append(found, exemplar{one.SeriesLabels, e.Value, e.Labels[s.links.ExemplarLabel], e.Labels["span_id"]})
		}
	}
	return found, nil
}

// measurement says which exemplars are good to begin at.
type measurement struct {
	series  string
	atLeast float64
	since   time.Time
}

// traceOf is the first click: from a measurement to its trace. The trace must
// come to satisfy shows; its spans arrive from several programs.
func (s *live) traceOf(t *testing.T, from measurement, shows func(exemplar, query.Trace) error) query.Trace {
	t.Helper()
	var found query.Trace
	looptest.Eventually(t, fmt.Sprintf("an exemplar >= %v of %s that leads to the trace it should", from.atLeast, from.series), func() error {
		all, err := s.exemplars(t, from.series, from.since)
		if err != nil {
			return err
		}
		last := errors.New("no such exemplar: is the histogram recorded with the request's context, and the page scraped as OpenMetrics?")
		for _, one := range all {
			if one.Value < from.atLeast {
				continue
			}
			if found, err = s.jaeger.Trace(t.Context(), one.TraceID); err == nil {
				err = shows(one, found)
			}
			if err == nil {
				t.Logf("%v = %.3f s -> trace %s with %d spans", one.Series, one.Value, found.ID, len(found.Spans))
				return nil
			}
			last = err
		}
		return last
	})
	return found
}

// thereAndBack is the second click and the third: from a trace to the lines that were written in it, among them some of each of
// these services, and from every line back to the trace and the span in which it was written.
func (s *live) thereAndBack(t *testing.T, trace query.Trace, services ...string) {
	t.Helper()
	question := s.links.LogsOf(trace.ID)
	looptest.Eventually(t, fmt.Sprintf("log lines of %v in trace %s, and from each the way back", services, trace.ID), func() error {
		lines, err := s.loki.QueryRange(t.Context(), question, s.began.Add(-time.Minute), time.Now(), 100)
		if err != nil {
			return err
		}
		missing := slices.Clone(services)
		for _, line := range lines {
			if err := s.wayBack(t, line, trace.ID); err != nil {
				return fmt.Errorf("from the line %q: %w", line.Line, err)
			}
			missing = slices.DeleteFunc(missing, func(service string) bool { return service == line.Labels["service_name"] })
		}
		if len(missing) > 0 {
			return fmt.Errorf("%s finds %d lines, none of %v: is the line logged with the request's context?", question, len(lines), missing)
		}
		t.Logf("%s -> %d lines, for example %q -> back to the trace", question, len(lines), lines[0].Line)
		return nil
	})
}

// wayBack follows one line to its trace by the label that Grafana is told to follow.
func (s *live) wayBack(t *testing.T, line query.Log, traceID string) error {
	id := line.Labels[s.links.LogLabel]
	if id != traceID {
		return fmt.Errorf("its label %s is %q and leads elsewhere", s.links.LogLabel, id)
	}
	back, err := s.jaeger.Trace(t.Context(), id)
	if err != nil {
		return err
	}
	if _, known := spanByID(back, line.Labels["span_id"]); !known {
		return fmt.Errorf("it was written in span %q, which its trace lacks:\n%s", line.Labels["span_id"], outline(back))
	}
	return nil
}
