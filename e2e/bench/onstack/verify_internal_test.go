package onstack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

// An order's trace as Jaeger tells it; the second span is the wait for the pool.
const trace = `{"result":{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"%s"}}]},
	"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"%s",
	"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000100000000"}]}]}]}}`

// smallStack serves storefront's page of metrics and Jaeger's answer to any search; an empty one is Jaeger's 404.
func smallStack(t *testing.T, page, traces string) endpoints.Stack {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/metrics":
			fmt.Fprint(w, page)
		case traces == "":
			http.Error(w, `{"error":{"httpCode":404,"message":"No traces found"}}`, http.StatusNotFound)
		default:
			fmt.Fprint(w, traces)
		}
	}))
	t.Cleanup(server.Close)
	return endpoints.Stack{StartedAt: time.Now(), Endpoints: endpoints.Endpoints{Storefront: server.URL, Jaeger: server.URL}}
}

func TestAnArmThatIsNotWhatItSaysIsNotMeasured(t *testing.T) {
	const measured = "http_server_request_duration_seconds_count 7\n"
	order := fmt.Sprintf(trace, "orders", "pool.acquire")
	for name, tc := range map[string]struct {
		arm, page, traces string
		want              string // in the error; empty for none
	}{
		"on, with its histogram and an order's trace":    {On, measured, order, ""},
		"on, but the page has no histogram":              {On, "go_goroutines 7\n", order, "telemetry is on, but"},
		"on, but no trace shows the wait for the pool":   {On, measured, fmt.Sprintf(trace, "orders", "POST /orders"), "gave up"},
		"off, with neither":                              {Off, "go_goroutines 7\n", "", ""},
		"off, but the page has a histogram":              {Off, measured, "", "telemetry is off, but"},
		"off, but Jaeger has a trace all the same":       {Off, "", order, "telemetry is off, but Jaeger has trace"},
		"off, but Jaeger's answer says nothing about it": {Off, "", "nonsense", "jaeger"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			if tc.want == "gave up" { // instead of the full wait for a trace that will not come
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeoutCause(ctx, time.Second, errors.New("the test gave up waiting"))
				defer cancel()
			}
			err := verify(ctx, smallStack(t, tc.page, tc.traces), tc.arm, time.Now())
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}
