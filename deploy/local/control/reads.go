package control

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
)

func (a *api) ready(w http.ResponseWriter, _ *http.Request) {
	if missing := a.cfg.Supervisor.NotReady(); len(missing) > 0 {
		writeError(w, http.StatusServiceUnavailable, "unavailable", "not ready: "+strings.Join(missing, ", "))
		return
	}
	write(w, http.StatusOK, struct{}{})
}

func (a *api) workloads(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]any{"workloads": a.cfg.Supervisor.Workloads()})
}

func (a *api) workload(w http.ResponseWriter, r *http.Request) {
	view, err := a.cfg.Supervisor.Workload(chi.URLParam(r, "workload"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	write(w, http.StatusOK, view)
}

func (a *api) discovery(w http.ResponseWriter, r *http.Request) {
	job := r.URL.Query().Get("job")
	onlyReady := false
	if text := r.URL.Query().Get("ready"); text != "" {
		var err error
		if onlyReady, err = strconv.ParseBool(text); err != nil {
			writeError(w, http.StatusBadRequest, "bad_request", "ready is true or false")
			return
		}
	}
	groups := []supervisor.TargetGroup{}
	if job != "" && job != Service {
		if _, err := a.cfg.Supervisor.Workload(job); err != nil {
			a.fail(w, r, err)
			return
		}
	}
	if job != Service {
		groups = a.cfg.Supervisor.Discovery(job, onlyReady)
	}
	if job == "" || job == Service {
		groups = append(groups, a.itself())
	}
	write(w, http.StatusOK, groups)
}

// itself is the supervisor as a scrape target.
func (a *api) itself() supervisor.TargetGroup {
	return supervisor.TargetGroup{
		Targets: []string{a.cfg.Address}, Labels: map[string]string{"job": Service, "instance": Service, "version": Version},
	}
}

func (a *api) processes(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, a.cfg.Supervisor.Processes())
}

func (a *api) memory(w http.ResponseWriter, r *http.Request) {
	views, err := a.cfg.Supervisor.Memory()
	if errors.Is(err, hostproc.ErrUnsupported) {
		writeError(w, http.StatusNotImplemented, "unavailable", err.Error())
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	write(w, http.StatusOK, map[string]any{"processes": views})
}
