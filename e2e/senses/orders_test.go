package senses

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/observability/query"
)

// The hops of a checkout.
var (
	edge      = hop{"storefront", query.Server, "POST /checkout"}
	placing   = hop{"orders", query.Server, "POST /orders"}
	waiting   = hop{"orders", query.Internal, "pool.acquire"}
	reserving = hop{"inventory", query.Server, "POST /reservations"}
	paying    = hop{"payments", query.Server, "POST /authorizations"}
	delivery  = hop{"inventory", query.Server, "POST /reservations/{id}/commit"}
)

func (s *live) checkGoodOrder(t *testing.T) {
	const served = `http_server_request_duration_seconds_bucket{job="storefront",http_route="/checkout",http_response_status_code="201"}`
	trace := s.traceOf(t, measurement{served, 0, s.began}, func(_ exemplar, trace query.Trace) error {
		for _, hops := range [][]hop{
			{{"loadgen", query.Client, ""}, edge, {"storefront", query.Client, ""}, placing, waiting},
			{placing, {"orders", query.Client, "BEGIN"}},
			{placing, {"orders", query.Client, "BATCH"}},
			{placing, {"orders", query.Client, "COMMIT"}},
			{placing, {"orders", query.Client, ""}, reserving, {"inventory", query.Internal, "pool.acquire"}},
			{reserving, {"inventory", query.Client, "COMMIT"}},
			{placing, {"orders", query.Client, ""}, paying},
			{placing, {"orders", query.Client, "POST"}, delivery},
		} {
			if _, err := path(trace, hops...); err != nil {
				return err
			}
		}
		return nil
	})
	delivered, _ := path(trace, delivery)
	committed, _ := path(trace, placing, hop{"orders", query.Client, "COMMIT"})
	if delivered.Start.Before(committed.Start) {
		t.Errorf("the outbox message was delivered at %s, before its order was committed at %s", delivered.Start, committed.Start)
	}
	s.thereAndBack(t, trace, "orders")
}

// slowWait is a wait for the pool that a customer could notice, in seconds: as long again as the payment.
const slowWait = 0.1

// checkSlowOrder raises the rate step by step until orders queue for the pool, but are served.
func (s *live) checkSlowOrder(t *testing.T) {
	const waits = `db_client_connection_wait_time_seconds_bucket{job="orders"}`
	s.steady(t)
	slow := measurement{waits, slowWait, time.Now()}
	s.queue(t, slow)
	trace := s.traceOf(t, slow, func(wait exemplar, trace query.Trace) error {
		for _, hops := range [][]hop{{edge, placing, reserving}, {edge, placing, paying}} {
			if _, err := path(trace, hops...); err != nil {
				return err
			}
		}
		if at, err := path(trace, edge); err != nil || at.Failed {
			return fmt.Errorf("it was not served:\n%s", outline(trace))
		}
		_, err := waited(trace, wait.Value)
		return err
	})
	s.thereAndBack(t, trace, "orders")
}

// queue adds load until somebody waits for the pool, and takes it away again.
func (s *live) queue(t *testing.T, wanted measurement) {
	t.Helper()
	const usual, step, most = 40, 10, 200
	rate := usual
	defer s.setRate(t, usual)
	looptest.Eventually(t, "orders to queue for the pool", func() error {
		if rate < most {
			rate += step
			s.setRate(t, rate)
		}
		for until := time.Now().Add(1500 * time.Millisecond); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
			all, err := s.exemplars(t, wanted.series, wanted.since)
			if err != nil {
				return err
			}
			for _, one := range all {
				if one.Value >= wanted.atLeast {
					t.Logf("at %d checkouts/s one waited %.3f s", rate, one.Value)
					return nil
				}
			}
		}
		return fmt.Errorf("at %d checkouts/s nobody waits %v s", rate, wanted.atLeast)
	})
}

func (s *live) setRate(t *testing.T, rate int) {
	t.Helper()
	body := bytes.NewBufferString(fmt.Sprintf(`{"checkouts_per_second":%d}`, rate))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.stack.Endpoints.Loadgen+"/v1/rate", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("PUT /v1/rate: %s", response.Status)
	}
}

// checkFailedCheckouts walks from the pool's count of those who waited in vain, and from the requests that failed for it: of these
// it takes some that lost most of the time that they may wait.
func (s *live) checkFailedCheckouts(t *testing.T, f fault) {
	for what, from := range map[string]measurement{
		"the pool": {`db_client_connection_timeouts_total{job="orders"}`, 1, f.began},
		"orders": {
			`http_server_request_duration_seconds_bucket{job="orders",http_route="/orders",http_response_status_code="503"}`, 0.3, f.began,
		},
		"the edge": {
			`http_server_request_duration_seconds_bucket{job="storefront",http_route="/checkout",http_response_status_code="503"}`, 0.3, f.began,
		},
	} {
		t.Run("beginning at "+what, func(t *testing.T) {
			trace := s.traceOf(t, from, func(one exemplar, whole query.Trace) error {
				trace, customer, err := checkoutOf(whole, one.SpanID)
				if err != nil {
					return err
				}
				order, err := path(trace, hop{customer, query.Client, ""}, edge, hop{"storefront", query.Client, ""}, placing)
				if err != nil {
					return err
				}
				wait, err := waited(trace, order.Duration.Seconds())
				if err == nil && (!wait.Failed || !order.Failed) {
					err = fmt.Errorf("wait failed: %t, order failed: %t; want both:\n%s", wait.Failed, order.Failed, outline(trace))
				}
				return err
			})
			s.thereAndBack(t, trace, "orders", "storefront")
		})
	}
}

// checkoutOf narrows a trace to the checkout that a span belongs to, and says whose it was: the load generator's customers have a trace
// for each; an experiment places many in its own.
func checkoutOf(trace query.Trace, spanID string) (checkout query.Trace, customer string, err error) {
	span, known := spanByID(trace, spanID)
	for known && (span.Kind != query.Client || span.Service != "loadgen" && span.Service != "chaos") {
		span, known = spanByID(trace, span.ParentID)
	}
	if !known {
		return checkout, "", fmt.Errorf("no customer is above span %q of trace %s:\n%s", spanID, trace.ID, outline(trace))
	}
	below := map[string]bool{span.ID: true}
	for grown := true; grown; {
		grown = false
		for _, one := range trace.Spans {
			if below[one.ParentID] && !below[one.ID] {
				below[one.ID], grown = true, true
			}
		}
	}
	checkout = trace
	checkout.Spans = slices.DeleteFunc(slices.Clone(trace.Spans), func(one query.Span) bool { return !below[one.ID] })
	return checkout, span.Service, nil
}

// mostOf is the part of a measured time that the span of the same work must show; the rest is what a busy machine takes between
// two readings of the clock.
const mostOf = 0.75

// waited finds the pool.acquire span of an order that explains a wait of so many seconds, and holds it against the conventions.
func waited(trace query.Trace, seconds float64) (query.Span, error) {
	order, err := path(trace, placing)
	if err != nil {
		return query.Span{}, err
	}
	var longest query.Span
	for _, span := range trace.Spans {
		if waiting.is(span) && span.ParentID == order.ID && span.Duration >= longest.Duration {
			longest = span
		}
	}
	switch {
	case longest.ID == "":
		return longest, fmt.Errorf("orders' server span has no child %q:\n%s", waiting.name, outline(trace))
	case longest.Duration.Seconds() < mostOf*seconds:
		return longest, fmt.Errorf("%q lasted %s and should explain %.3f s:\n%s", waiting.name, longest.Duration, seconds, outline(trace))
	case longest.Attributes["db.client.connection.pool.name"] == "":
		return longest, fmt.Errorf("%q does not name its pool: %v", waiting.name, longest.Attributes)
	}
	return longest, nil
}
