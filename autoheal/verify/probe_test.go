package verify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/faultline-lab/faultline/autoheal/verify"
)

// till is an edge that counts what passes it.
type till struct {
	total  atomic.Int64
	status int
	down   bool
	keys   []string
	bodies []string
}

func (t *till) Source() string { return "the till" }

func (t *till) Read(context.Context) (verify.Readout, error) {
	if t.down {
		return nil, errors.New("the till does not answer")
	}
	n := float64(t.total.Load())
	return verify.Readout{"storefront-1": {Total: n, Good: n}}, nil
}

func (t *till) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	t.keys, t.bodies = append(t.keys, r.Header.Get("Idempotency-Key")), append(t.bodies, string(body))
	t.total.Add(1)
	w.WriteHeader(t.status)
}

const order = `{"customer":"synthetic"}`

// probed is a till with a probe, a clock, and a way to read what passed since the reading before.
func probed(t *testing.T, status int) (edge *till, read func(after time.Duration) float64, registry *prometheus.Registry) {
	t.Helper()
	edge, registry = &till{status: status}, prometheus.NewRegistry()
	server := httptest.NewServer(edge)
	t.Cleanup(server.Close)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	probe, err := verify.NewProbe(verify.ProbeConfig{
		Edge: edge, URL: server.URL + "/checkout", Body: order, Registerer: registry, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	last := 0.0
	return edge, func(after time.Duration) float64 {
		t.Helper()
		now = now.Add(after)
		got, err := probe.ReadOrProbe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		passed := got["storefront-1"].Total - last
		last += passed
		return passed
	}, registry
}

func TestWhereNobodyBuysASyntheticCustomerDoes(t *testing.T) {
	edge, read, registry := probed(t, http.StatusCreated)
	read(0)
	for range 3 {
		if passed := read(time.Second); passed != 1 {
			t.Errorf("%v checkouts passed, want the synthetic one", passed)
		}
	}
	if passed := read(100 * time.Millisecond); passed != 0 {
		t.Errorf("%v checkouts passed a moment after the last one, want none: another reader asked just now", passed)
	}
	if len(edge.keys) != 3 || edge.keys[0] == edge.keys[1] || !strings.HasPrefix(edge.keys[0], verify.SyntheticKey) || edge.bodies[0] != order {
		t.Errorf("placed %q with keys %q", edge.bodies, edge.keys)
	}
	placed(t, registry, 0, 3)
}

// placed holds the counter against what should have come of the synthetic checkouts.
func placed(t *testing.T, registry *prometheus.Registry, bad, good int) {
	t.Helper()
	if err := testutil.GatherAndCompare(registry, strings.NewReader(fmt.Sprintf(`
# HELP autoheal_probes_total Synthetic checkouts that were placed because nobody bought, by what came of them: good, bad, unanswered.
# TYPE autoheal_probes_total counter
autoheal_probes_total{result="bad"} %d
autoheal_probes_total{result="good"} %d
autoheal_probes_total{result="unanswered"} 0
`, bad, good))); err != nil {
		t.Error(err)
	}
}

func TestWhileCustomersBuyNothingIsPlaced(t *testing.T) {
	edge, read, _ := probed(t, http.StatusCreated)
	for range 5 {
		edge.total.Add(1)
		read(time.Second)
	}
	if len(edge.keys) > 0 {
		t.Errorf("%d checkouts were placed", len(edge.keys))
	}
}

func TestOnlyAProofPlacesCheckouts(t *testing.T) {
	edge, registry := &till{}, prometheus.NewRegistry()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	probe, err := verify.NewProbe(verify.ProbeConfig{
		Edge: edge, URL: "http://127.0.0.1:1/checkout", Body: order, Registerer: registry, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		now = now.Add(time.Minute)
		if _, err := probe.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	placed(t, registry, 0, 0) // none that was not answered either
}

func TestASyntheticCheckoutThatFailsIsCountedByTheEdgeToo(t *testing.T) {
	edge, read, registry := probed(t, http.StatusServiceUnavailable)
	read(0)
	if passed := read(time.Second); passed != 1 || len(edge.keys) != 1 {
		t.Errorf("%v passed, %d placed", passed, len(edge.keys))
	}
	placed(t, registry, 1, 0)
}

func TestAnEdgeThatCannotBeReadIsNotProbed(t *testing.T) {
	edge := &till{down: true}
	probe, err := verify.NewProbe(verify.ProbeConfig{Edge: edge, URL: "http://127.0.0.1:1/checkout", Body: order, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := probe.ReadOrProbe(t.Context()); err == nil {
		t.Error("a reading came from nowhere")
	}
	if !strings.Contains(probe.Source(), "the till") || !strings.Contains(probe.Source(), "synthetic") {
		t.Errorf("source %q", probe.Source())
	}
}

func TestAProbeThatCannotBeIsRefused(t *testing.T) {
	for _, c := range []struct{ url, body, want string }{
		{"127.0.0.1:8080/checkout", order, "--probe-url"},
		{"ftp://shop/checkout", order, "no http address"},
		{"http://shop/checkout", "  ", "--probe-body"},
		{"http://shop/checkout", "{customer: synthetic}", "no JSON"},
	} {
		_, err := verify.NewProbe(verify.ProbeConfig{Edge: &till{}, URL: c.url, Body: c.body, Registerer: prometheus.NewRegistry()})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q: %v, want %s", c.url, c.body, err, c.want)
		}
	}
}
