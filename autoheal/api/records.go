package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/problem"
)

// List is the answer of GET /api/v1/incidents.
type List struct {
	Incidents []incident.Incident `json:"incidents"`
}

// Audit is the answer of GET /api/v1/incidents/{id}/audit.
type Audit struct {
	Entries []incident.Entry `json:"entries"`
}

func (a *api) list(w http.ResponseWriter, r *http.Request) {
	want, err := parseQuery(r.URL.Query())
	if err != nil {
		problem.Write(w, problem.BadRequest, err.Error())
		return
	}
	incidents, err := a.cfg.Records.List(r.Context(), want.since)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if len(want.states) > 0 {
		incidents = slices.DeleteFunc(incidents, func(in incident.Incident) bool { return !slices.Contains(want.states, in.State) })
	}
	if want.limit > 0 && len(incidents) > want.limit {
		incidents = incidents[:want.limit]
	}
	problem.JSON(w, http.StatusOK, List{incidents})
}

// query is what a list is asked for; the zero value asks for everything.
type query struct {
	since  time.Time
	states []incident.State
	limit  int
}

// open stands for all states in which an incident still needs the healer.
const open = "open"

// states are all there are.
var states = []incident.State{
	incident.Received, incident.Diagnosed, incident.Awaiting, incident.Decided, incident.Acting, incident.Verifying,
	incident.Stabilising, incident.Holding, incident.Reverting, incident.Closed, incident.Escalated,
}

func parseQuery(values url.Values) (query, error) {
	var want query
	if text := values.Get("since"); text != "" {
		since, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return want, fmt.Errorf("since is no RFC 3339 time: write it as 2026-01-02T03:04:05Z")
		}
		want.since = since
	}
	for _, text := range values["state"] {
		state := incident.State(text)
		switch {
		case text == open:
			want.states = append(want.states, slices.DeleteFunc(slices.Clone(states), func(s incident.State) bool { return !s.Open() })...)
		case slices.Contains(states, state):
			want.states = append(want.states, state)
		default:
			return want, fmt.Errorf("state %q is none: there are open, which is all but the last two, and %v", text, states)
		}
	}
	if text := values.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 {
			return want, fmt.Errorf("limit is no number from 1 on")
		}
		want.limit = limit
	}
	return want, nil
}

func (a *api) get(w http.ResponseWriter, r *http.Request) {
	in, err := a.cfg.Records.Get(r.Context(), chi.URLParam(r, "id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	problem.JSON(w, http.StatusOK, in)
}

func (a *api) audit(w http.ResponseWriter, r *http.Request) {
	entries, err := a.cfg.Records.Audit(r.Context(), chi.URLParam(r, "id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	problem.JSON(w, http.StatusOK, Audit{entries})
}
