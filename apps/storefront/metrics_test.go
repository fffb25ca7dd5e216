package storefront_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/storefront"
)

func TestTheEdgeCountsItsReplicasAndTheCallsThatMovedOn(t *testing.T) {
	page := metrictest.New(t)
	b, err := storefront.NewBalancer(storefront.BalancerConfig{Log: quiet(), MeterProvider: page.MeterProvider(), Park: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	page.Expect(t, map[string]float64{`storefront_backends{group="stable"}`: 0, `storefront_backends{group="standby"}`: 0, "storefront_failovers_total": 0})

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		jsonhttp.Write(w, http.StatusCreated, struct{}{})
	}))
	t.Cleanup(server.Close)
	b.Set(t.Context(), []storefront.Backend{{URL: server.URL}, {URL: dead(t)}})
	url := edge(t, b, "http://unused")
	for range 10 {
		if status, body := post(t, url, "k", `{}`); status != http.StatusCreated {
			t.Fatalf("%d %s", status, body)
		}
	}
	// Each replica begins one of the first two calls; from then on the dead one is asked last.
	page.Expect(t, map[string]float64{`storefront_backends{group="stable"}`: 2, "storefront_failovers_total": 1})

	b.Set(t.Context(), []storefront.Backend{{URL: dead(t)}})
	if status, _ := post(t, url, "k", `{}`); status != http.StatusServiceUnavailable {
		t.Errorf("with no replica alive: %d", status)
	}
	page.Expect(t, map[string]float64{`storefront_backends{group="stable"}`: 1, "storefront_failovers_total": 1})
}

func TestAPollIsMeasuredAndIsNoTraceHereNorOnTheOtherSide(t *testing.T) {
	page := metrictest.New(t)
	var parents []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parents = append(parents, r.Header.Get("Traceparent"))
		_, _ = io.WriteString(w, `[]`)
	}))
	t.Cleanup(server.Close)
	discovery, err := storefront.NewDiscovery(storefront.DiscoveryConfig{
		URL: server.URL, Client: &http.Client{Transport: page.Transport(nil)}, Tick: time.Hour, Log: quiet(),
		Set: func(context.Context, []storefront.Backend) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		discovery.Poll(t.Context())
	}
	text := page.Text(t)
	if !strings.Contains(text, "http_client_request_duration_seconds_count") || strings.Contains(text, "trace_id") {
		t.Errorf("want the polls' durations, and no trace as their exemplar:\n%s", text)
	}
	if len(parents) != 3 || parents[0] == parents[1] {
		t.Fatalf("told the other side %q, want three traces", parents)
	}
	for _, parent := range parents {
		if !strings.HasSuffix(parent, "-00") {
			t.Errorf("told the other side %q, want that it is not sampled", parent)
		}
	}
}
