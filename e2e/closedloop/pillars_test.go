package closedloop

import (
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/sli"
	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/query"
)

// checkPillars looks for one and the same failed request in all three pillars: as an exemplar of a 5xx in Prometheus,
// as a trace in Jaeger, as log lines in Loki. A request that the client itself noted as failed must be in Jaeger and in
// Loki as well; among exemplars it may be missing, since each scrape keeps only one of a bucket.
func checkPillars(t *testing.T, stack endpoints.Stack, injected time.Time) {
	prometheus, err := query.NewPrometheus(query.Config{URL: stack.Endpoints.Prometheus})
	if err != nil {
		t.Fatal(err)
	}
	const failures = `http_server_request_duration_seconds_bucket{job="storefront",http_route="/checkout",http_response_status_code=~"5.."}`
	var exemplar string
	waitUntil(t, "an exemplar of a failed checkout in Prometheus", func() bool {
		exemplars, err := prometheus.Exemplars(t.Context(), failures, injected, time.Now())
		for _, one := range exemplars {
			exemplar = one.TraceID
		}
		return err == nil && exemplar != ""
	})
	for origin, traceID := range map[string]string{"an exemplar": exemplar, "the client": firstFailed(t, stack, injected)} {
		checkTraceAndLogs(t, stack, origin, traceID, injected)
	}
}

func firstFailed(t *testing.T, stack endpoints.Stack, injected time.Time) string {
	t.Helper()
	seconds, err := sli.Read(t.Context(), stack.Endpoints.Loadgen, injected)
	if err != nil {
		t.Fatal(err)
	}
	for _, second := range seconds {
		if len(second.FailedTraceIDs) > 0 {
			return second.FailedTraceIDs[0]
		}
	}
	t.Fatal("the client noted no failed checkout")
	return ""
}

func checkTraceAndLogs(t *testing.T, stack endpoints.Stack, origin, traceID string, injected time.Time) {
	t.Helper()
	jaeger, err := query.NewJaeger(query.Config{URL: stack.Endpoints.Jaeger})
	if err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "trace "+traceID+" (from "+origin+") in Jaeger, failed at the edge and waiting for the pool", func() bool {
		trace, err := jaeger.Trace(t.Context(), traceID)
		return err == nil && failedAtTheEdge(trace) && waitedForThePool(trace)
	})
	loki, err := query.NewLoki(query.Config{URL: stack.Endpoints.Loki})
	if err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "log lines of "+traceID+" (from "+origin+") in Loki", func() bool {
		lines, err := loki.QueryRange(t.Context(), query.TraceLogs(traceID), injected.Add(-time.Minute), time.Now(), 10)
		return err == nil && len(lines) > 0
	})
}

func failedAtTheEdge(trace query.Trace) bool {
	for _, span := range trace.Spans {
		if span.Service == "storefront" && span.Kind == query.Server && span.Failed {
			return true
		}
	}
	return false
}

func waitedForThePool(trace query.Trace) bool {
	for _, span := range trace.Spans {
		if span.Service == "orders" && span.Name == "pool.acquire" {
			return true
		}
	}
	return false
}
