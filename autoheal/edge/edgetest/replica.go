// Package edgetest stands in for a replica of storefront: it keeps the contract of its control port (docs/contracts.md,
// "storefront's control port"). The healer may not import the real one; e2e runs against that.
package edgetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
)

// Replica is one replica of the edge.
type Replica struct {
	Name, Token string
	Waiting     int
	// Standby is how many replicas of the standby it sees.
	Standby int

	mu    sync.Mutex
	state edge.State
	// takenBack are the keys of changes that were.
	takenBack map[string]bool
	// Changes counts those that changed something, renewals left out.
	Changes int
}

// New makes a replica as it is after a start.
func New(name, token string) *Replica {
	return &Replica{Name: name, Token: token, state: edge.State{Mode: edge.Normal, Weights: edge.Usual()}, takenBack: map[string]bool{}}
}

// Serve serves it until the test ends.
func (r *Replica) Serve(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return server.URL
}

// Restart makes it forget what it was told, as a start does.
func (r *Replica) Restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = edge.State{Mode: edge.Normal, Weights: edge.Usual()}
}

// State is how it stands.
func (r *Replica) State() edge.State {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire()
	return r.state
}

type change struct {
	Mode    string          `json:"mode"`
	Admit   int             `json:"admit"`
	Stable  *int            `json:"stable"`
	Standby *int            `json:"standby"`
	For     string          `json:"for"`
	If      json.RawMessage `json:"if"`
	By      string          `json:"by"`
	Key     string          `json:"key"`
	lasts   time.Duration   // what For says
}

// ServeHTTP answers like storefront.
func (r *Replica) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expire()
	switch route := req.Method + " " + req.URL.Path; {
	case route == "GET /v1/state":
		r.answer(w)
	case route != "PUT /v1/mode" && route != "PUT /v1/weights":
		fail(w, http.StatusNotFound, "not_found", "no such thing")
	case req.Header.Get("Authorization") != "Bearer "+r.Token:
		fail(w, http.StatusUnauthorized, "unauthorized", "changes need the token")
	default:
		r.change(w, req)
	}
}

func (r *Replica) expire() {
	now := time.Now()
	if r.state.ModeUntil != nil && now.After(*r.state.ModeUntil) {
		r.state.Mode, r.state.ModeUntil, r.state.ModeBy, r.state.Admit = edge.Normal, nil, "", 0
	}
	if r.state.WeightsUntil != nil && now.After(*r.state.WeightsUntil) {
		r.state.Weights, r.state.WeightsUntil, r.state.WeightsBy = edge.Usual(), nil, ""
	}
}

func (r *Replica) change(w http.ResponseWriter, req *http.Request) {
	var c change
	if err := json.NewDecoder(req.Body).Decode(&c); err != nil {
		fail(w, http.StatusBadRequest, "bad_request", "no JSON")
		return
	}
	var err error
	usual := c.Mode == edge.Normal || c.Stable != nil && *c.Stable == 100
	if c.lasts, err = time.ParseDuration(c.For); !usual && (err != nil || c.lasts < time.Second || c.lasts > 30*time.Minute) {
		fail(w, http.StatusBadRequest, "bad_request", "give a time from 1s to 30m")
		return
	}
	var refused string
	switch {
	case !usual && r.takenBack[c.Key]:
		refused = "the change of key " + c.Key + " has been taken back already"
	case c.Mode != "":
		refused = r.setMode(c)
	default:
		refused = r.setWeights(c)
	}
	if usual && c.Key != "" {
		r.takenBack[c.Key] = true
	}
	if refused != "" {
		fail(w, http.StatusConflict, "conflict", refused)
		return
	}
	r.answer(w)
}

func (r *Replica) setMode(c change) (refused string) {
	if c.Mode != r.state.Mode && string(c.If) != `"`+r.state.Mode+`"` {
		return fmt.Sprintf("the mode is %s, by %s", r.state.Mode, r.state.ModeBy)
	}
	if c.Mode != r.state.Mode {
		r.Changes++
	}
	r.state.Mode, r.state.ModeUntil, r.state.ModeBy, r.state.Admit = c.Mode, nil, "", float64(c.Admit)
	if c.Mode != edge.Normal {
		r.state.ModeUntil, r.state.ModeBy = new(time.Now().Add(c.lasts)), c.By
	}
	return ""
}

func (r *Replica) setWeights(c change) (refused string) {
	want, from := edge.Weights{Stable: *c.Stable, Standby: *c.Standby}, edge.Weights{}
	if err := json.Unmarshal(c.If, &from); err != nil || want != r.state.Weights && from != r.state.Weights {
		return fmt.Sprintf("the weights are %s, by %s", r.state.Weights, r.state.WeightsBy)
	}
	if want != r.state.Weights {
		r.Changes++
	}
	r.state.Weights, r.state.WeightsUntil, r.state.WeightsBy = want, nil, ""
	if want != edge.Usual() {
		r.state.WeightsUntil, r.state.WeightsBy = new(time.Now().Add(c.lasts)), c.By
	}
	return ""
}

func (r *Replica) answer(w http.ResponseWriter) {
	s := r.state
	s.Queue.Waiting, s.Backends.Standby = r.Waiting, r.Standby
	_ = json.NewEncoder(w).Encode(s) // a failure shows at the client
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"code": code, "message": message}})
}
