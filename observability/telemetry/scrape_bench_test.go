package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

// BenchmarkAScrape is what Prometheus costs a program, once a second.
func BenchmarkAScrape(b *testing.B) {
	tel, err := telemetry.Start(b.Context(), telemetry.Config{Service: "orders", Instance: "orders-1"})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(tel.Middleware(router()))
	defer server.Close()
	client := &http.Client{Transport: tel.Transport(nil)}
	for _, path := range []string{"/v1/things/9/parts", "/broken", "/nowhere"} {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL+path, http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		response.Body.Close()
	}
	page := tel.MetricsHandler()
	request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/metrics", http.NoBody)
	request.Header.Set("Accept", openMetrics)
	b.ReportAllocs()
	for b.Loop() {
		page.ServeHTTP(nowhere{}, request)
	}
}

// nowhere is a response that nobody keeps.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
