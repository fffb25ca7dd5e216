package local_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/local"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// supervisor speaks the contract (docs/contracts.md, "The supervisor's control API") for one workload of one replica.
type supervisor struct {
	t        *testing.T
	startID  string
	state    string
	restarts int
	// answer replaces the answer of a restart: 0 for the contract's own.
	answer int
}

func (s *supervisor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	one := `{"name":"orders","labels":{"faultline.dev/autoheal":"enabled"},"desired":1,"max":8,"version":"v1","versions":["v1"],
	  "replicas":[{"id":"orders-1","start_id":"` + s.startID + `","state":"` + s.state + `","version":"v1","address":"127.0.0.1:8101",
	  "pid":77,"started_at":"2026-01-02T03:04:05.5Z","ready_at":"2026-01-02T03:04:06Z","restarts":0}]}`
	switch r.Method + " " + r.URL.Path {
	case "GET /v1/workloads":
		_, _ = io.WriteString(w, `{"workloads":[`+one+`]}`) // a failure shows at the client
	case "GET /v1/workloads/orders":
		_, _ = io.WriteString(w, one)
	case "POST /v1/workloads/orders/replicas/orders-1/restart":
		s.restart(w, r)
	default:
		fail(w, 404, "not_found", "no such thing")
	}
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"error":{"code":"`+code+`","message":"`+message+`"}}`)
}

func (s *supervisor) restart(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer control-token" {
		fail(w, 401, "unauthorized", "wrong token")
		return
	}
	var body struct {
		StartID string `json:"start_id"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		s.t.Errorf("the body of a restart: %v", err)
	}
	if s.answer == http.StatusServiceUnavailable {
		s.answer = 0
		fail(w, 503, "unavailable", "busy")
		return
	}
	if body.StartID != s.startID || s.answer == http.StatusConflict {
		s.startID, s.state = "somebody-elses", "ready"
		fail(w, 409, "conflict", "its start id is another one already")
		return
	}
	s.restarts++
	s.startID, s.state = "second", "ready"
	w.WriteHeader(http.StatusAccepted)
	if s.answer == http.StatusBadGateway { // the restart is taken, but the answer is lost on its way
		panic(http.ErrAbortHandler)
	}
}

func control(t *testing.T, s *supervisor, token string) *local.Control {
	t.Helper()
	s.t = t
	return serve(t, s, token)
}

// serve makes a client of a control API.
func serve(t *testing.T, api http.Handler, token string) *local.Control {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	c, err := local.New(local.Config{URL: server.URL + "/", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheControlAPI(t *testing.T) {
	s := &supervisor{startID: "first", state: "ready"}
	c := control(t, s, "control-token")
	all, err := c.Workloads(t.Context())
	if err != nil || len(all) != 1 || all[0].Labels[workload.OptInLabel] != "enabled" || all[0].Replicas[0].StartedAt.Year() != 2026 {
		t.Fatalf("workloads %+v, error %v", all, err)
	}
	one, err := c.Workload(t.Context(), "orders")
	if r, ok := one.Replica("orders-1"); err != nil || !ok || r.StartID != "first" || r.Address != "127.0.0.1:8101" || one.Max != 8 {
		t.Errorf("workload %+v, error %v", one, err)
	}
	if _, err := c.Workload(t.Context(), "else"); !errors.Is(err, workload.ErrNotFound) {
		t.Errorf("an unknown workload: %v; want ErrNotFound", err)
	}
	if err := c.Restart(t.Context(), "orders", "orders-1", "other"); !errors.Is(err, workload.ErrConflict) {
		t.Errorf("another start id: %v; want ErrConflict", err)
	}
	err = control(t, s, "wrong").Restart(t.Context(), "orders", "orders-1", "x")
	if !errors.Is(err, workload.ErrRefused) || !strings.Contains(err.Error(), "--control-token-file") {
		t.Errorf("a wrong token: %v; want a refusal with a word about the flag", err)
	}
}

// TestRestartingThroughTheControlAPI runs the remedy against the contract over real HTTP.
func TestRestartingThroughTheControlAPI(t *testing.T) {
	for _, test := range []struct {
		name     string
		s        supervisor
		resumed  bool
		result   string
		restarts int
	}{
		{"a restart is done", supervisor{startID: "first", state: "ready"}, false, incident.ResultDone, 1},
		{"a refusal that passes is tried again", supervisor{startID: "first", state: "ready", answer: 503}, false, incident.ResultDone, 1},
		{"a lost answer is not asked for twice", supervisor{startID: "first", state: "ready", answer: 502}, false, incident.ResultDone, 1},
		{"a conflict means that somebody else did it", supervisor{startID: "first", state: "ready", answer: 409}, false, incident.ResultSkipped, 0},
		{"another start id before the request means the same", supervisor{startID: "other", state: "ready"}, false, incident.ResultSkipped, 0},
		{"after a crash another start id means that it was done", supervisor{startID: "other", state: "ready"}, true, incident.ResultDone, 0},
		{"after a crash the same start id means that it was not", supervisor{startID: "first", state: "ready"}, true, incident.ResultDone, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.s
			r, err := remedy.NewRestartReplicas(control(t, &s, "control-token"))
			if err != nil {
				t.Fatal(err)
			}
			effect := r.Apply(t.Context(), remedy.Application{
				Target:  incident.Target{Kind: incident.ReplicaTarget, Workload: "orders", Name: "orders-1", Is: "first"},
				Timeout: 10 * time.Second, Resumed: test.resumed,
			})
			if effect.Result != test.result || s.restarts != test.restarts {
				t.Errorf("%+v with %d restarts; want %s with %d", effect, s.restarts, test.result, test.restarts)
			}
		})
	}
}

func TestARestartThatIsNeverReadyFails(t *testing.T) {
	r, err := remedy.NewRestartReplicas(control(t, &supervisor{startID: "first", state: "stopping"}, "control-token"))
	if err != nil {
		t.Fatal(err)
	}
	effect := r.Apply(t.Context(), remedy.Application{
		Target:  incident.Target{Kind: incident.ReplicaTarget, Workload: "orders", Name: "orders-1", Is: "first"},
		Timeout: 100 * time.Millisecond,
	})
	if effect.Result != incident.ResultFailed || !strings.Contains(effect.Detail, "did not become ready") {
		t.Errorf("%+v; want failed", effect)
	}
}
