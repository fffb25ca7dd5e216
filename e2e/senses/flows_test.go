package senses

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/observability/query"
)

// losing waits for our programs to say that they have given up records of a signal.
func (s *live) losing(signal string) func(*testing.T) func() error {
	question := fmt.Sprintf(`sum(telemetry_lost_records_total{signal=%q})`, signal)
	return func(t *testing.T) func() error {
		var before float64
		looptest.Eventually(t, question, func() (err error) {
			before, err = s.prometheus.Value(t.Context(), question, time.Time{})
			return err
		})
		return func() error {
			now, err := s.prometheus.Value(t.Context(), question, time.Time{})
			if err == nil && now <= before {
				err = fmt.Errorf("%s is %v, as before", question, now)
			}
			if err == nil {
				t.Logf("%s rose by %v", question, now-before)
			}
			return err
		}
	}
}

// countingOn waits for the edge's own page to count on. Prometheus loses nothing while it is away but the view: counters go on, and
// their next sample has it all.
func (s *live) countingOn(t *testing.T) func() error {
	served := func() float64 {
		for _, instance := range parse(t, s.pages(t)) {
			if instance.Program == edge.service {
				return instance.Page["http_server_request_duration_seconds"].Observations
			}
		}
		t.Fatal("the edge has no page")
		return 0
	}
	before := served()
	return func() error {
		if now := served(); now <= before {
			return fmt.Errorf("the edge's page has counted %v requests, as before", now)
		}
		return nil
	}
}

// logsSince wants a line of orders that was written since.
func (s *live) logsSince(t *testing.T, since time.Time) error {
	lines, err := s.loki.QueryRange(t.Context(), `{service_name="orders"}`, since, time.Now(), 1)
	if err == nil && len(lines) == 0 {
		err = errors.New("no line of orders has come since")
	}
	return err
}

// tracesSince wants a checkout that began since, down to the pool.
func (s *live) tracesSince(t *testing.T, since time.Time) error {
	traces, err := s.jaeger.Search(t.Context(), query.Search{
		Service: edge.service, Operation: edge.name, From: since, To: time.Now(), Limit: 5,
	})
	if err != nil {
		return err
	}
	err = errors.New("no checkout has come since")
	for _, trace := range traces {
		if _, err = path(trace, edge, placing, waiting); err == nil {
			return nil
		}
	}
	return err
}

// samplesSince wants a sample of the edge that was scraped since.
func (s *live) samplesSince(t *testing.T, since time.Time) error {
	const question = `http_server_request_duration_seconds_count{job="storefront",http_route="/checkout"}[15s]`
	series, err := s.prometheus.Raw(t.Context(), question)
	if err != nil {
		return err
	}
	for _, one := range series {
		if len(one.Points) > 0 && one.Points[len(one.Points)-1].At.After(since) {
			return nil
		}
	}
	return fmt.Errorf("%s has no sample since, in %d series", question, len(series))
}
