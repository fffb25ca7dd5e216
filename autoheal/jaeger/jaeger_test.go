package jaeger_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/jaeger"
	"github.com/faultline-lab/faultline/observability/query"
)

func collect(t *testing.T, answer http.HandlerFunc) evidence.Facts {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	c, err := jaeger.New(jaeger.Config{Query: query.Config{URL: server.URL}, Deadline: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return c.Collect(t.Context(), evidence.Scope{Workloads: []string{"orders"}})
}

// trace is one slow order: half of it in the pool, and 0.1 s in a statement.
func trace(id string) string {
	span := func(n int, name string, from, to int, attributes string) string {
		return fmt.Sprintf(`{"traceId":%q,"spanId":"00f067aa0ba9020%d","name":%q,"kind":2,"startTimeUnixNano":"1767323045%d000000",
		 "endTimeUnixNano":"1767323045%d000000","attributes":[%s]}`, id, n, name, from, to, attributes)
	}
	return span(1, "POST /orders", 100, 500, "") + "," + span(2, "pool.acquire", 100, 300, "") + "," +
		span(3, "INSERT orders", 300, 400, `{"key":"db.system.name","value":{"stringValue":"postgresql"}}`)
}

func TestTheTimeOfSlowOrdersIsToldByItsParts(t *testing.T) {
	facts := collect(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.FormValue("query.service_name") + " " + r.FormValue("query.operation_name") + " " + r.FormValue("query.duration_min"); got !=
			"orders POST /orders 300ms" {
			t.Errorf("asked for %s", got)
		}
		// A failure to write shows in the facts.
		_, _ = io.WriteString(w, `{"result":{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"orders"}}]},
		 "scopeSpans":[{"spans":[`+trace("4bf92f3577b34da6a3ce929d0e0e4736")+","+trace("5bf92f3577b34da6a3ce929d0e0e4736")+`]}]}]}}`)
	})
	for part, want := range map[string]float64{"the request": 0.4, "pool.acquire": 0.2, "sql of orders": 0.1} {
		if got, known := facts.Get(evidence.TracePart, part); !known || got.Value < want-1e-9 || got.Value > want+1e-9 || got.Detail != "mean of 2 requests" {
			t.Errorf("%s: %+v, want %g", part, got, want)
		}
	}
}

func TestAJaegerThatIsSlowOrSickIsUnknownWithinItsOwnDeadline(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"slow": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"sick": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		t.Run(name, func(t *testing.T) {
			facts := collect(t, answer)
			if len(facts) != 1 || facts[0].Status != incident.Unknown || facts[0].Detail == "" {
				t.Errorf("%+v; want one that is unknown, and why", facts)
			}
		})
	}
}

func TestWhereNoOrderWasSlowThereIsNothingToSay(t *testing.T) {
	if facts := collect(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }); len(facts) != 0 {
		t.Errorf("%+v", facts)
	}
}
