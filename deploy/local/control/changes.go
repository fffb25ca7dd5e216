package control

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"
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

func (a *api) scale(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Replicas *int `json:"replicas"`
	}
	if !read(w, r, &body) {
		return
	}
	if body.Replicas == nil {
		writeError(w, http.StatusBadRequest, "bad_request", `replicas is missing: {"replicas":3}`)
		return
	}
	a.accept(w, r, a.cfg.Supervisor.Scale(chi.URLParam(r, "workload"), *body.Replicas),
		fmt.Sprintf("scale to %d", *body.Replicas))
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
