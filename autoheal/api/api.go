package api

import (
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/faultline-lab/faultline/autoheal/bearer"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/problem"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// Records reads what the healer has recorded.
type Records interface {
	List(ctx context.Context, since time.Time) ([]incident.Incident, error)
	Open(ctx context.Context) ([]incident.Incident, error)
	Get(ctx context.Context, id string) (incident.Incident, error)
	Audit(ctx context.Context, id string) ([]incident.Entry, error)
}

// People keeps what people tell the healer.
type People interface {
	SaveAnswer(ctx context.Context, a store.Answer) error
	SetPause(ctx context.Context, p *store.Pause, by string, at time.Time) error
	Paused(ctx context.Context) (*store.Pause, error)
}

// Config holds what the API serves; all fields without a default are required.
type Config struct {
	Records Records
	People  People
	// Token is the bearer token that changes need; without one they are refused.
	Token string
	// Switch reads the kill switch.
	Switch func() guard.Switch
	// Autonomy is how much the healer may do by itself.
	Autonomy guard.Autonomy
	// Wake is called after a change, so that the engine need not poll. It must not block.
	Wake func()
	// Webhook takes POST /webhook/alertmanager.
	Webhook http.Handler
	Metrics http.Handler
	// Ready says whether alerts can be taken in: an error makes /readyz 503.
	Ready  func(ctx context.Context) error
	Logger *slog.Logger
	Now    func() time.Time
}

func (c *Config) defaults() error {
	switch {
	case c.Records == nil || c.People == nil:
		return errors.New("api: no store was given")
	case c.Switch == nil:
		return errors.New("api: no kill switch was given; where there is none, give one that is always off")
	case c.Autonomy == "":
		return errors.New("api: it was not said how much the healer may do")
	case c.Wake == nil:
		return errors.New("api: nobody to wake was given")
	case c.Webhook == nil || c.Metrics == nil:
		return errors.New("api: no webhook or metrics handler was given")
	case c.Ready == nil:
		return errors.New("api: no readiness check was given")
	case c.Logger == nil:
		return errors.New("api: no logger was given")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

type api struct {
	cfg   Config
	token bearer.Token
}

//go:embed openapi.yaml
var description []byte

// New makes the handler of everything the healer serves.
func New(cfg Config) (chi.Router, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	a := &api{cfg, bearer.New(cfg.Token)}
	r := chi.NewRouter()
	r.Use(middleware.Recoverer)
	r.NotFound(func(w http.ResponseWriter, _ *http.Request) {
		problem.Write(w, problem.NotFound, "there is nothing here: GET /api/v1/openapi.yaml says what autoheal serves")
	})
	r.Get("/livez", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	r.Get("/readyz", a.ready)
	r.Method(http.MethodGet, "/metrics", cfg.Metrics)
	r.Method(http.MethodPost, "/webhook/alertmanager", cfg.Webhook)
	r.Route("/api/v1", func(r chi.Router) {
		r.Get("/openapi.yaml", describe)
		r.Get("/status", a.status)
		r.Get("/incidents", a.list)
		r.Get("/incidents/{id}", a.get)
		r.Get("/incidents/{id}/audit", a.audit)
		r.Group(func(r chi.Router) {
			r.Use(a.authorize)
			r.Post("/incidents/{id}/approve", a.answer(incident.Approved))
			r.Post("/incidents/{id}/deny", a.answer(incident.Denied))
			r.Post("/pause", a.pause)
			r.Post("/resume", a.resume)
		})
	})
	return r, nil
}

// describe serves the OpenAPI file.
func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	_, _ = w.Write(description) // a client that has gone away is nobody's error
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

// fail answers what the store says. Internals go to the log.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, store.ErrNotFound):
		problem.Write(w, problem.NotFound, "there is no such incident: GET /api/v1/incidents lists them")
	case errors.Is(err, store.ErrAnswered):
		problem.Write(w, problem.Conflict, noQuestion)
	default:
		a.cfg.Logger.ErrorContext(r.Context(), "a request could not be answered", "path", r.URL.Path, "error", err)
		problem.Write(w, problem.Internal, "the store could not be read or written; the log says why")
	}
}
