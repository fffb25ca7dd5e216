package onstack

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/query"
)

// groupOf puts a process where its time is counted.
func groupOf(p process) string {
	switch {
	case p.Name == Postgres || p.Name == Healer:
		return p.Name
	case workload(p.Name) == Loadgen || workload(p.Name) == Healer:
		return workload(p.Name)
	case p.Kind == "service":
		return Services
	default:
		return Backends
	}
}

// workload is the name without the replica's number.
func workload(name string) string {
	return strings.TrimRight(name, "-0123456789")
}

// complete says whether the list has everything whose time is to be counted: a name that changed would count as nothing.
func complete(list []process) error {
	for _, name := range []string{"storefront", "orders", "inventory", "payments", Loadgen, Postgres} {
		if !slices.ContainsFunc(list, func(p process) bool { return workload(p.Name) == name }) {
			return fmt.Errorf("the supervisor lists no process of %s", name)
		}
	}
	return nil
}

// visible is how long a trace may take until Jaeger shows it.
const visible = 15 * time.Second

// verify holds the stack against its arm: with telemetry on, an order's trace is there, down to the wait for the pool, and
// storefront's page has its histogram; with telemetry off there is neither. Otherwise two equal arms would be compared.
func verify(ctx context.Context, stack endpoints.Stack, arm string, from time.Time) error {
	jaeger, err := query.NewJaeger(query.Config{URL: stack.Endpoints.Jaeger})
	if err != nil {
		return err
	}
	page, err := metricsPage(ctx, stack)
	if err != nil {
		return err
	}
	const histogram = "http_server_request_duration_seconds"
	if measured := strings.Contains(page, histogram); measured != (arm == On) {
		return fmt.Errorf("telemetry is %s, but on storefront's page of metrics it is %v that there is a %s", arm, measured, histogram)
	}
	if arm == Off {
		traces, err := jaeger.Search(ctx, query.Search{Service: "storefront", From: stack.StartedAt.Add(-time.Minute), To: time.Now(), Limit: 1})
		if err == nil && len(traces) > 0 {
			err = fmt.Errorf("telemetry is off, but Jaeger has trace %s of storefront", traces[0].ID)
		}
		return err
	}
	return awaitOrder(ctx, jaeger, from)
}

func awaitOrder(ctx context.Context, jaeger *query.Jaeger, from time.Time) error {
	ctx, cancel := context.WithTimeoutCause(ctx, visible,
		fmt.Errorf("telemetry is on, but for %s Jaeger has shown no order with its wait for the pool", visible))
	defer cancel()
	for {
		traces, err := jaeger.Search(ctx, query.Search{Service: "storefront", Operation: "POST /checkout", From: from, To: time.Now(), Limit: 5})
		if err == nil && slices.ContainsFunc(traces, waitedForPool) {
			return nil
		}
		if sleep(ctx, 200*time.Millisecond) != nil {
			return context.Cause(ctx)
		}
	}
}

func waitedForPool(trace query.Trace) bool {
	return slices.ContainsFunc(trace.Spans, func(span query.Span) bool { return span.Service == "orders" && span.Name == "pool.acquire" })
}

func metricsPage(ctx context.Context, stack endpoints.Stack) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, stack.Endpoints.Storefront+"/metrics", nil)
	if err != nil {
		return "", err
	}
	page, err := read(request)
	return string(page), err
}
