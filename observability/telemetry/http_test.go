package telemetry_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

const openMetrics = "application/openmetrics-text; version=1.0.0"

// scrape reads the metrics page in the format that accept asks for.
func scrape(t *testing.T, tel *telemetry.Telemetry, accept string) string {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", accept)
	answer := httptest.NewRecorder()
	tel.MetricsHandler().ServeHTTP(answer, request)
	if answer.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", answer.Code, answer.Body)
	}
	return answer.Body.String()
}

func call(t *testing.T, client *http.Client, method, url string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

func router() *chi.Mux {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	routes := chi.NewRouter()
	routes.Post("/orders/{id}", status(http.StatusCreated))
	routes.Get("/broken", status(http.StatusServiceUnavailable))
	routes.Get("/livez", status(http.StatusOK))
	routes.Route("/v1", func(r chi.Router) { r.Get("/things/{thing}/parts", status(http.StatusOK)) })
	return routes
}

func TestRequestsAreNamedAfterTheirRoute(t *testing.T) {
	for name, wrap := range map[string]func(*telemetry.Telemetry) http.Handler{
		"around a chi router": func(tel *telemetry.Telemetry) http.Handler { return tel.Middleware(router()) },
		"in a chi router's Use list": func(tel *telemetry.Telemetry) http.Handler {
			routes := chi.NewRouter()
			routes.Use(tel.Middleware)
			routes.Mount("/", router())
			return routes
		},
		"around net/http's ServeMux": func(tel *telemetry.Telemetry) http.Handler {
			mux, routes := http.NewServeMux(), router()
			for _, pattern := range []string{"POST /orders/{id}", "GET /broken", "/livez", "GET /v1/things/{thing}/parts"} {
				mux.Handle(pattern, routes)
			}
			return tel.Middleware(mux)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend := newCollector(t)
			tel := start(t, telemetry.Config{TracesURL: backend.URL})
			server := httptest.NewServer(wrap(tel))
			defer server.Close()
			for _, path := range []string{"/orders/ant", "/orders/wasp"} {
				call(t, server.Client(), http.MethodPost, server.URL+path)
			}
			call(t, server.Client(), http.MethodGet, server.URL+"/v1/things/9/parts")
			call(t, server.Client(), http.MethodGet, server.URL+"/broken")
			call(t, server.Client(), http.MethodGet, server.URL+"/livez")
			call(t, server.Client(), http.MethodGet, server.URL+"/no/such/page/zebra")

			if code := backend.span(t, "POST /orders/{id}").Status.GetCode(); code != spans.Status_STATUS_CODE_UNSET {
				t.Errorf("a 201 has the span status %s", code)
			}
			backend.span(t, "GET /v1/things/{thing}/parts")
			if code := backend.span(t, "GET /broken").Status.GetCode(); code != spans.Status_STATUS_CODE_ERROR {
				t.Errorf("a 503 has the span status %s", code)
			}
			page := scrape(t, tel, openMetrics)
			for _, series := range []string{
				`http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="201",http_route="/orders/{id}"} 2`,
				`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/v1/things/{thing}/parts"} 1`,
				`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="503",http_route="/broken"} 1`,
			} {
				if !strings.Contains(page, series+"\n") {
					t.Errorf("the page lacks %s", series)
				}
			}
			if strings.Contains(page, "livez") || strings.Contains(page, "zebra") || strings.Contains(page, "wasp") {
				t.Errorf("a probe, or a path that is no route, made series:\n%s", page)
			}
		})
	}
}

func TestHistogramsCarryExemplarsOfTheirTrace(t *testing.T) {
	backend := newCollector(t)
	tel := start(t, telemetry.Config{TracesURL: backend.URL})
	server := httptest.NewServer(tel.Middleware(router()))
	defer server.Close()
	call(t, &http.Client{Transport: tel.Transport(nil)}, http.MethodPost, server.URL+"/orders/17")
	id := hex.EncodeToString(backend.span(t, "POST /orders/{id}").TraceId)

	page := scrape(t, tel, openMetrics)
	for _, histogram := range []string{"http_server_request_duration_seconds", "http_client_request_duration_seconds"} {
		exemplar := regexp.MustCompile(histogram + `_bucket\{.*\} 1 # \{.*trace_id="` + id + `"`)
		if !exemplar.MatchString(page) {
			t.Errorf("%s has no exemplar of trace %s:\n%s", histogram, id, page)
		}
	}
	if strings.Contains(scrape(t, tel, "text/plain"), id) {
		t.Error("the plain text format, which has no exemplars, shows one")
	}
}

func TestACallCarriesItsTraceToTheOtherSide(t *testing.T) {
	backend := newCollector(t)
	tel := start(t, telemetry.Config{TracesURL: backend.URL})
	server := httptest.NewServer(tel.Middleware(router()))
	defer server.Close()
	call(t, &http.Client{Transport: tel.Transport(nil)}, http.MethodPost, server.URL+"/orders/17")

	client, serving := backend.span(t, "POST"), backend.span(t, "POST /orders/{id}")
	if !bytes.Equal(serving.TraceId, client.TraceId) || !bytes.Equal(serving.ParentSpanId, client.SpanId) {
		t.Errorf("the server's span %v is no child of the client's %v", serving, client)
	}
}

func TestSeriesHaveTheLabelsOfTheContractAndNoOthers(t *testing.T) {
	tel := start(t, telemetry.Config{})
	server := httptest.NewServer(tel.Middleware(router()))
	client := &http.Client{Transport: tel.Transport(nil)}
	call(t, client, http.MethodPost, server.URL+"/orders/17")
	server.Close()
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/broken", nil)
	if response, err := client.Do(request); err == nil {
		response.Body.Close()
		t.Fatal("a closed server answered")
	}
	page := scrape(t, tel, openMetrics)
	host := strings.TrimPrefix(server.URL, "http://127.0.0.1:")
	for _, series := range []string{
		`http_server_request_duration_seconds_bucket{http_request_method="POST",http_response_status_code="201",http_route="/orders/{id}",le="0.5"}`,
		`http_client_request_duration_seconds_bucket{http_request_method="POST",http_response_status_code="201",server_address="127.0.0.1",server_port="` + host + `",le="0.5"}`,
		`http_client_request_duration_seconds_count{error_type="net.OpError",http_request_method="GET",server_address="127.0.0.1",server_port="` + host + `"}`,
	} {
		if !strings.Contains(page, series) {
			t.Errorf("the page lacks %s", series)
		}
	}
	for _, unwanted := range []string{"body_size", "otel_scope", "target_info", "network_protocol", "url_scheme"} {
		if strings.Contains(page, unwanted) {
			t.Errorf("the page has %s", unwanted)
		}
	}
}

func TestMetricsOfTheProgramsOwnAppearOnThePage(t *testing.T) {
	tel := start(t, telemetry.Config{})
	orders := prometheus.NewCounter(prometheus.CounterOpts{Name: "orders_placed_total", Help: "Orders."})
	tel.Registerer().MustRegister(orders)
	orders.Inc()
	hold, err := tel.MeterProvider().Meter("test").Float64Histogram("orders.hold", metric.WithUnit("s"))
	if err != nil {
		t.Fatal(err)
	}
	hold.Record(context.Background(), 0.09)
	page := scrape(t, tel, "")
	for _, line := range []string{"orders_placed_total 1\n", `orders_hold_seconds_bucket{le="0.1"} 1` + "\n", "go_goroutine_count "} {
		if !strings.Contains(page, line) {
			t.Errorf("the page lacks %q:\n%s", line, page)
		}
	}
}

func TestACallersDecisionNotToSampleIsKept(t *testing.T) {
	tel := start(t, telemetry.Config{})
	for sampled, flags := range map[bool]trace.TraceFlags{true: trace.FlagsSampled, false: 0} {
		caller := trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: flags, Remote: true,
		})
		_, span := tel.TracerProvider().Tracer("test").Start(trace.ContextWithSpanContext(t.Context(), caller), "work")
		if span.SpanContext().IsSampled() != sampled {
			t.Errorf("the caller said sampled=%v, the span says %v", sampled, span.SpanContext().IsSampled())
		}
	}
}
