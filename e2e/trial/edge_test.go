package trial

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

func TestATrialWaitsUntilTheEdgeHasNothingLeftForLater(t *testing.T) {
	var asked atomic.Int64
	edge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answers := []string{
			`{"mode":"accept","weights":{"stable":100,"standby":0},"queue":{"waiting":9}}`,
			`{"mode":"normal","weights":{"stable":100,"standby":0},"queue":{"waiting":9}}`,
			`{"mode":"normal","weights":{"stable":0,"standby":100},"queue":{"waiting":0}}`,
			`{"mode":"normal","weights":{"stable":100,"standby":0},"queue":{"waiting":0}}`,
		}
		_, _ = w.Write([]byte(answers[min(asked.Add(1), 4)-1]))
	}))
	t.Cleanup(edge.Close)
	waiting := &trial{stack: endpoints.Stack{Endpoints: endpoints.Endpoints{EdgeControl: edge.URL}}}
	if err := waiting.waitForEdge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if asked.Load() != 4 {
		t.Errorf("asked %d times, want 4: until the mode, the weights and the queue are as usual", asked.Load())
	}
	if err := (&trial{}).waitForEdge(t.Context()); err != nil {
		t.Errorf("without a control port: %v", err)
	}
}
