package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/problem"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// Records reads what the healer has recorded.
type Records interface {
	List(ctx context.Context, since time.Time) ([]incident.Incident, error)
	Get(ctx context.Context, id string) (incident.Incident, error)
	Audit(ctx context.Context, id string) ([]incident.Entry, error)
}

// Config holds what the API serves; all fields are required.
type Config struct {
	Records Records
	// Webhook takes POST /webhook/alertmanager.
	Webhook http.Handler
	Metrics http.Handler
	// Ready says whether alerts can be taken in: an error makes /readyz 503.
	Ready  func(ctx context.Context) error
	Logger *slog.Logger
}

type api struct{ cfg Config }

// New makes the handler of everything the healer serves.
func New(cfg Config) (http.Handler, error) {
	switch {
	case cfg.Records == nil:
		return nil, errors.New("api: no records were given")
	case cfg.Webhook == nil || cfg.Metrics == nil:
		return nil, errors.New("api: no webhook or metrics handler was given")
	case cfg.Ready == nil:
		return nil, errors.New("api: no readiness check was given")
	case cfg.Logger == nil:
		return nil, errors.New("api: no logger was given")
	}
	a := &api{cfg}
	r := chi.NewRouter()
	r.Use(middleware.Recoverer)
	r.NotFound(func(w http.ResponseWriter, _ *http.Request) {
		problem.Write(w, problem.NotFound, "there is nothing here: see docs/contracts.md for what autoheal serves")
	})
	r.Get("/livez", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	r.Get("/readyz", a.ready)
	r.Method(http.MethodGet, "/metrics", cfg.Metrics)
	r.Method(http.MethodPost, "/webhook/alertmanager", cfg.Webhook)
	r.Get("/api/v1/incidents", a.list)
	r.Get("/api/v1/incidents/{id}", a.get)
	r.Get("/api/v1/incidents/{id}/audit", a.audit)
	return r, nil
}

func (a *api) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	if err := a.cfg.Ready(ctx); err != nil {
		problem.Write(w, problem.Unavailable, "not ready: "+err.Error())
		return
	}
	w.WriteHeader(http.StatusOK)
}

// List is the answer of GET /api/v1/incidents.
type List struct {
	Incidents []incident.Incident `json:"incidents"`
}

// Audit is the answer of GET /api/v1/incidents/{id}/audit.
type Audit struct {
	Entries []incident.Entry `json:"entries"`
}

func (a *api) list(w http.ResponseWriter, r *http.Request) {
	var since time.Time
	if text := r.URL.Query().Get("since"); text != "" {
		parsed, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			problem.Write(w, problem.BadRequest, "since is no RFC 3339 time: write it as 2026-01-02T03:04:05Z")
			return
		}
		since = parsed
	}
	incidents, err := a.cfg.Records.List(r.Context(), since)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	problem.JSON(w, http.StatusOK, List{incidents})
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

func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, store.ErrNotFound) {
		problem.Write(w, problem.NotFound, "there is no such incident: GET /api/v1/incidents lists them")
		return
	}
	a.cfg.Logger.ErrorContext(r.Context(), "reading the records failed", "path", r.URL.Path, "error", err)
	problem.Write(w, problem.Internal, "the records could not be read; the log says why")
}
