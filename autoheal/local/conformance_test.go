package local_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/autoheal/local"
	"github.com/faultline-lab/faultline/autoheal/workload"
	"github.com/faultline-lab/faultline/autoheal/workload/workloadtest"
)

// The healer may not import the supervisor, so the suite runs against a stand-in that keeps the contract
// (docs/contracts.md, "The supervisor's control API"); e2e runs the healer against the real one.
func TestTheControlAPIBehavesLikeEveryControl(t *testing.T) {
	workloadtest.Run(t, func(t *testing.T) workloadtest.Control { return serve(t, newFleet(), "control-token") })
}

var _ workloadtest.Control = (*local.Control)(nil)

// fleet stands in for the supervisor: what is asked for takes a few looks until it is there.
type fleet struct {
	chi.Router
	mu        sync.Mutex
	starts    int
	workloads []workload.Workload
}

func newFleet() *fleet {
	f := &fleet{Router: chi.NewRouter()}
	f.workloads = []workload.Workload{
		{
			Name: workloadtest.Name, Labels: map[string]string{workload.OptInLabel: "enabled"}, Desired: 2, Max: 8, Version: "v2",
			Versions: []string{"v1", "v2"}, Replicas: []workload.Replica{},
		},
		{Name: workloadtest.Other, Labels: map[string]string{}, Desired: 1, Max: 1, Version: "v1", Versions: []string{"v1"}},
	}
	for range 5 {
		f.advance() // to where all is ready
	}
	f.Get("/v1/workloads", func(w http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.advance()
		answer(w, http.StatusOK, map[string]any{"workloads": f.workloads})
	})
	f.Get("/v1/workloads/{workload}", f.with(func(w http.ResponseWriter, _ *http.Request, one *workload.Workload) {
		f.advance()
		answer(w, http.StatusOK, one)
	}))
	f.Post("/v1/workloads/{workload}/replicas/{id}/restart", f.with(f.restart))
	f.Put("/v1/workloads/{workload}/scale", f.with(scale))
	f.Put("/v1/workloads/{workload}/version", f.with(release))
	return f
}

func (f *fleet) with(do func(http.ResponseWriter, *http.Request, *workload.Workload)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		at := slices.IndexFunc(f.workloads, func(one workload.Workload) bool { return one.Name == chi.URLParam(r, "workload") })
		if at < 0 {
			fail(w, http.StatusNotFound, "not_found", "no such workload")
			return
		}
		do(w, r, &f.workloads[at])
	}
}

func (f *fleet) restart(w http.ResponseWriter, r *http.Request, one *workload.Workload) {
	var body struct {
		StartID string `json:"start_id"`
	}
	at := slices.IndexFunc(one.Replicas, func(replica workload.Replica) bool { return replica.ID == chi.URLParam(r, "id") })
	switch err := json.NewDecoder(r.Body).Decode(&body); {
	case err != nil:
		fail(w, http.StatusBadRequest, "bad_request", err.Error())
	case at < 0:
		fail(w, http.StatusNotFound, "not_found", "no such replica")
	case one.Replicas[at].StartID != body.StartID:
		fail(w, http.StatusConflict, "conflict", "its start id is another one already")
	default:
		one.Replicas[at].State = workload.Stopping
		w.WriteHeader(http.StatusAccepted)
	}
}

func scale(w http.ResponseWriter, r *http.Request, one *workload.Workload) {
	var body struct {
		Replicas int    `json:"replicas"`
		For      string `json:"for"`
		BackTo   *int   `json:"back_to"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Replicas > one.Max {
		fail(w, http.StatusUnprocessableEntity, "unprocessable", "outside 0..max")
		return
	}
	if lasts, err := time.ParseDuration(body.For); body.For != "" && (err != nil || lasts < time.Second || body.BackTo == nil) {
		fail(w, http.StatusBadRequest, "bad_request", "a time to live and where to go back to go together")
		return
	}
	one.Desired = body.Replicas
	w.WriteHeader(http.StatusAccepted)
}

func release(w http.ResponseWriter, r *http.Request, one *workload.Workload) {
	var body struct {
		Version string `json:"version"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || !slices.Contains(one.Versions, body.Version) {
		fail(w, http.StatusUnprocessableEntity, "unprocessable", "there are "+strings.Join(one.Versions, ", "))
		return
	}
	one.Version = body.Version
	w.WriteHeader(http.StatusAccepted)
}

// advance takes every replica a step further: what is starting is ready, what has stopped is started or removed.
func (f *fleet) advance() {
	for i := range f.workloads {
		one := &f.workloads[i]
		for n := len(one.Replicas) + 1; n <= one.Desired; n++ {
			one.Replicas = append(one.Replicas, workload.Replica{
				ID: fmt.Sprintf("%s-%d", one.Name, n), State: workload.Stopped, Address: fmt.Sprintf("127.0.0.1:%d", 8100+n),
			})
		}
		for j := range one.Replicas {
			f.step(one, &one.Replicas[j], j < one.Desired)
		}
		one.Replicas = slices.DeleteFunc(one.Replicas, func(r workload.Replica) bool { return r.State == "gone" })
	}
}

func (f *fleet) step(one *workload.Workload, r *workload.Replica, wanted bool) {
	switch {
	case r.State == workload.Stopping:
		r.State = workload.Stopped
	case r.State == workload.Stopped && !wanted:
		r.State = "gone"
	case r.State == workload.Stopped:
		f.starts++
		r.StartID, r.State, r.Version, r.StartedAt = fmt.Sprintf("start-%d", f.starts), workload.Starting, one.Version, time.Now()
	case !wanted || r.Version != one.Version:
		r.State = workload.Stopping
	case r.State == workload.Starting:
		r.State = workload.Ready
	}
}

func answer(w http.ResponseWriter, status int, value any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a failure shows at the client
}
