package prom_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/prom"
	"github.com/faultline-lab/faultline/observability/query"
)

const (
	traceA, traceB = "4bf92f3577b34da6a3ce929d0e0e4736", "5bf92f3577b34da6a3ce929d0e0e4736"
	spanA          = "00f067aa0ba902b7"
)

func TestOffendersAreTheNewestRequestsOfDifferentTraces(t *testing.T) {
	exemplar := func(trace, span string, at int) string {
		return fmt.Sprintf(`{"labels":{"trace_id":%q,"span_id":%q},"value":"1","timestamp":%d}`, trace, span, at)
	}
	answer := `{"status":"success","data":[
	 {"seriesLabels":{"instance":"orders-1"},"exemplars":[` + exemplar(traceA, spanA, 1767323045) + `,` + exemplar(traceA, spanA, 1767323046) + `]},
	 {"seriesLabels":{"instance":"storefront-1"},"exemplars":[` + exemplar(traceB, spanA, 1767323047) + `,` + exemplar("x", "y", 1767323048) + `]}]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.FormValue("query")
		if r.URL.Path != "/api/v1/query_exemplars" || !strings.Contains(asked, `job=~"orders|storefront"`) || strings.Contains(asked, "loadgen") {
			t.Errorf("asked %s for %s", r.URL.Path, asked)
		}
		_, _ = io.WriteString(w, answer) // a failure shows in the requests
	}))
	defer server.Close()
	p, err := prom.New(query.Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Offenders(t.Context(), []string{"orders", "storefront"})
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, error %v; want two traces", got, err)
	}
	if got[0].Span.TraceID().String() != traceB || got[0].Replica != "storefront-1" || !got[0].Span.IsSampled() ||
		got[1].Span.TraceID().String() != traceA || got[1].Span.SpanID().String() != spanA {
		t.Errorf("%+v", got)
	}
	server.Close()
	if _, err := p.Offenders(t.Context(), []string{"orders"}); err == nil {
		t.Error("a Prometheus that is away is no error")
	}
}
