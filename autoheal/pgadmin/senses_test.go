package pgadmin_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/faultline-lab/faultline/autoheal/pgadmin"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// observed is an admin connection whose spans are kept, and its metrics page.
func observed(t *testing.T, u string) (*pgadmin.Admin, *tracetest.InMemoryExporter, func() string) {
	t.Helper()
	kept := tracetest.NewInMemoryExporter()
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Service: "autoheal", Instance: "autoheal-1"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := pgadmin.New(pgadmin.Config{
		URL: u, Logger: slog.New(slog.DiscardHandler), KeepEvery: 10 * time.Millisecond,
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept)), MeterProvider: tel.MeterProvider(),
	})
	if err != nil {
		t.Fatal(err)
	}
	page := func() string {
		answer := httptest.NewRecorder()
		tel.MetricsHandler().ServeHTTP(answer, httptest.NewRequestWithContext(context.Background(), "GET", "/metrics", nil))
		return answer.Body.String()
	}
	return a, kept, page
}

func TestAQuestionWithinATraceIsInIt(t *testing.T) {
	a, kept, page := observed(t, server(t))
	ctx, parent := sdktrace.NewTracerProvider().Tracer("test").Start(t.Context(), "gather")
	if _, err := a.Activity(ctx); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, span := range kept.GetSpans() {
		names = append(names, span.Name)
		if span.SpanContext.TraceID() != parent.SpanContext().TraceID() {
			t.Errorf("%s is in another trace", span.Name)
		}
	}
	if got := strings.Join(names, ", "); got != "pool.connect, SELECT pg_roles, SELECT pg_stat_activity" {
		t.Errorf("spans %s", got)
	}
	for _, name := range []string{"create_time", "wait_time", "use_time"} {
		want := regexp.MustCompile(`db_client_connection_` + name + `_seconds_count\{db_client_connection_pool_name="autoheal-admin"\} 1\n`)
		if text := page(); !want.MatchString(text) {
			t.Errorf("no %s on the page:\n%s", name, text)
		}
	}
}

func TestTheUpkeepIsMeasuredAndMakesNoTraces(t *testing.T) {
	a, kept, page := observed(t, server(t))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Keep(ctx) }()
	eventually(t, func() error {
		uses := regexp.MustCompile(`use_time_seconds_count\S+ ([3-9]|\d\d+)\n`)
		if text := page(); !uses.MatchString(text) {
			return &missing{text}
		}
		return nil
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if spans := kept.GetSpans(); len(spans) > 0 {
		t.Errorf("the upkeep made %d spans, such as %s", len(spans), spans[0].Name)
	}
}

func TestAConnectThatFailsSaysSoInItsSpanAndRaisesNoAlert(t *testing.T) {
	a, kept, page := observed(t, "postgres://u@127.0.0.1:1/db")
	ctx, _ := sdktrace.NewTracerProvider().Tracer("test").Start(t.Context(), "gather")
	if _, err := a.Activity(ctx); err == nil {
		t.Fatal("nobody is there, and no error")
	}
	spans := kept.GetSpans()
	if len(spans) != 1 || spans[0].Name != "pool.connect" || spans[0].Status.Description == "" {
		t.Errorf("spans %+v", spans)
	}
	// ConnectionPoolExhausted is about the patient: it fires on these two.
	for _, not := range []string{"create_failures", "connection_timeouts"} {
		if strings.Contains(page(), not) {
			t.Errorf("the page has %s", not)
		}
	}
}

type missing struct{ page string }

func (m *missing) Error() string { return "three uses are not on the page:\n" + m.page }
