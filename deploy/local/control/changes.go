package control

import (
	"fmt"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/deploy/local/supervisor"
)

func (a *api) restart(w http.ResponseWriter, r *http.Request) {
	var body struct {
		StartID string `json:"start_id"`
	}
	if !read(w, r, &body) {
		return
	}
	if body.StartID == "" {
		// Without it, two healers or one retry could restart the same replica twice.
		writeError(w, http.StatusBadRequest, "bad_request",
			"start_id is missing: give that of the child to end, from GET /v1/workloads/"+chi.URLParam(r, "workload"))
		return
	}
	replica := chi.URLParam(r, "replica")
	a.accept(w, r, a.cfg.Supervisor.Restart(r.Context(), chi.URLParam(r, "workload"), replica, body.StartID), "restart of "+replica)
}

// scaling is a request to scale. With For it ends by itself, at BackTo or at the number that was wanted before.
type scaling struct {
	Replicas *int   `json:"replicas"`
	For      string `json:"for"`
	BackTo   *int   `json:"back_to"`
	Key      string `json:"key"`
}

func (a *api) scale(w http.ResponseWriter, r *http.Request) {
	var body scaling
	if !read(w, r, &body) {
		return
	}
	ends, wrong := body.lapse()
	if wrong != "" {
		writeError(w, http.StatusBadRequest, "bad_request", wrong)
		return
	}
	change := fmt.Sprintf("scale to %d", *body.Replicas)
	if ends != nil {
		change += " for " + body.For
	}
	a.accept(w, r, a.cfg.Supervisor.Scale(chi.URLParam(r, "workload"), *body.Replicas, ends, body.Key), change)
}

// lapse reads how the scale is to end; nil when it is to stay. Otherwise it says what is wrong with the request.
func (s scaling) lapse() (ends *supervisor.Lapse, wrong string) {
	switch {
	case s.Replicas == nil:
		return nil, `replicas is missing: {"replicas":3}`
	case s.For == "" && s.BackTo != nil:
		return nil, `back_to needs a time: {"replicas":3,"for":"30s","back_to":2}`
	case s.For == "":
		return nil, ""
	}
	period, err := time.ParseDuration(s.For)
	if err != nil {
		return nil, fmt.Sprintf("for=%.32q is no time: write it like 30s", s.For)
	}
	return &supervisor.Lapse{For: period, BackTo: s.BackTo}, ""
}

func (a *api) version(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Version string `json:"version"`
	}
	if !read(w, r, &body) {
		return
	}
	a.accept(w, r, a.cfg.Supervisor.SetVersion(chi.URLParam(r, "workload"), body.Version), "version "+body.Version)
}

func (a *api) wipe(w http.ResponseWriter, r *http.Request) {
	a.accept(w, r, a.cfg.Supervisor.Wipe(chi.URLParam(r, "workload")), "wipe of its state")
}

// accept answers 202 with the workload as it is now; the change itself goes on.
func (a *api) accept(w http.ResponseWriter, r *http.Request, err error, change string) {
	workload := chi.URLParam(r, "workload")
	if err != nil {
		a.cfg.Log.WarnContext(r.Context(), "workload change refused", "workload", workload, "change", change, "error", err.Error())
		a.fail(w, r, err)
		return
	}
	a.cfg.Log.InfoContext(r.Context(), "workload change accepted", "workload", workload, "change", change)
	view, err := a.cfg.Supervisor.Workload(workload)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	write(w, http.StatusAccepted, view)
}
