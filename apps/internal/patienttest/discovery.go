package patienttest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Discovery serves a Prometheus http_sd document, as the supervisor does. It goes on naming replicas that have ended,
// as a real one does for a moment.
type Discovery struct {
	URL string

	mu     sync.Mutex
	groups []group
}

type group struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

func newDiscovery(t testing.TB) *Discovery {
	t.Helper()
	d := &Discovery{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		// A storefront that has gone away needs no document.
		_ = json.NewEncoder(w).Encode(d.groups)
	}))
	t.Cleanup(server.Close)
	d.URL = server.URL
	return d
}

func (d *Discovery) add(url, instance string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.groups = append(d.groups, group{
		Targets: []string{strings.TrimPrefix(url, "http://")},
		Labels:  map[string]string{"job": "orders", "instance": instance, "version": "v1"},
	})
}
