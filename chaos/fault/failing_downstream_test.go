package fault_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/fault"
)

// failing is payments' setting for a share of errors.
type failing struct {
	mu    sync.Mutex
	share float64
}

func (f *failing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method == http.MethodPut {
		var body struct {
			Share float64 `json:"share"`
			For   string  `json:"for"`
		}
		_ = json.NewDecoder(r.Body).Decode(&body)
		if period, err := time.ParseDuration(body.For); body.Share != 0 && (err != nil || period > 15*time.Minute) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		f.share = body.Share
	}
	_ = json.NewEncoder(w).Encode(map[string]float64{"share": f.share})
}

func failingPatient(t *testing.T) patient {
	payments := &failing{}
	mux := http.NewServeMux()
	mux.Handle("/v1/errors", payments)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s := &supervised{workload: control.Workload{Name: "payments", Desired: 1, Replicas: []control.Replica{
		{ID: "payments-1", State: control.Ready, Address: strings.TrimPrefix(server.URL, "http://")},
	}}}
	return patient{
		stack: s.serve(t), workload: "payments", parameters: "{share: 0.7}",
		sick: func(*testing.T) bool {
			payments.mu.Lock()
			defer payments.mu.Unlock()
			return payments.share != 0
		},
	}
}

func TestErrorsThatSomebodyElseHasAskedForStay(t *testing.T) {
	p := failingPatient(t)
	p.parameters = "{share: 0.2}"
	state := inject(t, p.open(t, "failing-downstream", "x")).State
	p.parameters = "{share: 0.7}"
	if _, err := p.open(t, "failing-downstream", "y").Prepare(t.Context()); err == nil || !strings.Contains(err.Error(), "fails 20 % of the payments already") {
		t.Errorf("beside another: %v", err)
	}
	restore(t, p.open(t, "failing-downstream", "y"), fault.State(`{"share":0.7}`))
	if !p.sick(t) {
		t.Error("somebody else's errors are gone")
	}
	restore(t, p.open(t, "failing-downstream", "x"), state)
	well(t, p)
}
