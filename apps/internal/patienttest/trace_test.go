package patienttest_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/apps/internal/patienttest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
)

// hops are the requests that one order is made of, as the histograms of those who served them name them.
func hops(p *patienttest.Patient) map[string][]*patienttest.Process {
	return map[string][]*patienttest.Process{
		"/checkout":                 {p.Storefront},
		"/orders":                   p.Orders,
		"/reservations":             {p.Inventory},
		"/authorizations":           {p.Payments},
		"/reservations/{id}/commit": {p.Inventory}, // by the relay, out of the outbox
	}
}

func TestOneTraceLeadsThroughEveryHopOfAnOrderTheOutboxIncluded(t *testing.T) {
	p := patienttest.Start(t)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.Storefront.URL+"/checkout", strings.NewReader(oneItem))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		t.Fatal(response.Status)
	}
	for route, served := range hops(p) {
		exemplar := regexp.MustCompile(`http_server_request_duration_seconds_bucket\{.*http_route="` + regexp.QuoteMeta(route) +
			`".*# \{.*trace_id="` + trace + `"`)
		postgrestest.Eventually(t, route+" is on the order's trace", func() bool {
			for _, process := range served {
				if exemplar.MatchString(page(t, process)) {
					return true
				}
			}
			return false
		})
	}
	var logged string
	for _, process := range p.Orders {
		for line := range strings.Lines(process.Log.String()) {
			if strings.Contains(line, `"order placed"`) {
				logged = line
			}
		}
	}
	if !strings.Contains(logged, `"trace_id":"`+trace+`"`) {
		t.Errorf("the order's line does not point to its trace: %q", logged)
	}
}

// page is the metrics page with exemplars.
func page(t *testing.T, process *patienttest.Process) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, process.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
