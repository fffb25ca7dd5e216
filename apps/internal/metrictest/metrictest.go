// Package metrictest reads, in tests, what a program would show to Prometheus, under the names that Prometheus sees.
package metrictest

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

// Page is the scrape page of a program under test, whose telemetry it is.
type Page struct{ *telemetry.Telemetry }

// New starts the telemetry; it goes nowhere but to the page.
func New(t testing.TB) Page {
	t.Helper()
	started, err := telemetry.Start(t.Context(), telemetry.Config{Service: "test", Instance: "test-1"})
	if err != nil {
		t.Fatal(err)
	}
	return Page{started}
}

// Text is the page in the format with exemplars.
func (p Page) Text(t testing.TB) string {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	answer := httptest.NewRecorder()
	p.MetricsHandler().ServeHTTP(answer, request)
	if answer.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", answer.Code, answer.Body)
	}
	return answer.Body.String()
}

// Value is the value of a series, written as on the page: orders_placements_total{outcome="confirmed"}.
func (p Page) Value(t testing.TB, series string) float64 {
	t.Helper()
	value, found := p.Lookup(t, series)
	if !found {
		t.Fatalf("the page has no %s:\n%s", series, p.Text(t))
	}
	return value
}

// Lookup is Value for a series that need not be there yet.
func (p Page) Lookup(t testing.TB, series string) (value float64, found bool) {
	t.Helper()
	for line := range strings.Lines(p.Text(t)) {
		rest, found := strings.CutPrefix(line, series+" ")
		if !found {
			continue
		}
		value, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return value, true
	}
	return 0, false
}

// Expect fails the test where a series has another value.
func (p Page) Expect(t testing.TB, want map[string]float64) {
	t.Helper()
	for series, value := range want {
		if got := p.Value(t, series); got != value {
			t.Errorf("%s is %v, want %v", series, got, value)
		}
	}
}
