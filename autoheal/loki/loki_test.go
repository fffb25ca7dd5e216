package loki_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/loki"
	"github.com/faultline-lab/faultline/observability/query"
)

func collect(t *testing.T, answer http.HandlerFunc) evidence.Facts {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	c, err := loki.New(loki.Config{Query: query.Config{URL: server.URL}, Deadline: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return c.Collect(t.Context(), evidence.Scope{Workloads: []string{"orders", "inventory"}})
}

func TestErrorsAreCountedByServiceAndCode(t *testing.T) {
	facts := collect(t, func(w http.ResponseWriter, r *http.Request) {
		if asked := r.FormValue("query"); asked != `{service_name=~"orders|inventory"} | error_code!=""` {
			t.Errorf("asked %s", asked)
		}
		// A failure to write shows in the facts.
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"streams","result":[
		 {"stream":{"service_name":"orders","error_code":"timeout"},"values":[["1767323045000000000","a"],["1767323046000000000","b"]]},
		 {"stream":{"service_name":"inventory","error_code":"conflict"},"values":[["1767323045000000000","c"]]}]}}`)
	})
	for subject, want := range map[string]float64{"all": 3, "orders/timeout": 2, "inventory/conflict": 1} {
		if got, known := facts.Get(evidence.ErrorLines, subject); !known || got.Value != want || got.Query == "" {
			t.Errorf("%s: %+v, want %g", subject, got, want)
		}
	}
}

func TestALokiThatIsSlowOrSickIsUnknownWithinItsOwnDeadline(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"slow": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"sick": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		t.Run(name, func(t *testing.T) {
			facts := collect(t, answer)
			if len(facts) != 1 || facts[0].Status != incident.Unknown || strings.TrimSpace(facts[0].Detail) == "" {
				t.Errorf("%+v; want one that is unknown, and why", facts)
			}
		})
	}
}
