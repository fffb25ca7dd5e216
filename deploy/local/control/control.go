package control

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/deploy/local/supervisor"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// maxBody is more than any request of this API needs.
const maxBody = 1 << 16

// What the supervisor is called in its telemetry; there is one of it, so it is its own instance.
const (
	Service = "supervisor"
	Version = "v1"
)

// Config is what the API needs.
type Config struct {
	Supervisor *supervisor.Supervisor
	Token      string
	Log        *slog.Logger
	Telemetry  *telemetry.Telemetry
	// Address is where this API answers, as host:port: Prometheus finds it in the document that it reads here.
	Address string
}

// New returns the API.
func New(cfg Config) (http.Handler, error) {
	if cfg.Supervisor == nil || cfg.Token == "" || cfg.Log == nil || cfg.Telemetry == nil || cfg.Address == "" {
		return nil, errors.New("control: a config needs supervisor, token, log, telemetry and address")
	}
	a := &api{cfg: cfg}
	router := chi.NewRouter()
	router.NotFound(func(w http.ResponseWriter, r *http.Request) {
		writeError(w, http.StatusNotFound, "not_found", fmt.Sprintf("there is no %s here: docs/contracts.md lists the calls", r.URL.Path))
	})
	router.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		writeError(w, http.StatusMethodNotAllowed, "bad_request", fmt.Sprintf("%s does not take %s", r.URL.Path, r.Method))
	})
	router.Handle("/metrics", cfg.Telemetry.MetricsHandler())
	router.Get("/livez", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, struct{}{}) })
	router.Get("/readyz", a.ready)
	router.Get("/v1/workloads", a.workloads)
	router.Get("/v1/workloads/{workload}", a.workload)
	router.Get("/v1/discovery", a.discovery)
	router.Get("/v1/processes", a.processes)
	router.Get("/v1/memory", a.memory)
	router.Group(func(changes chi.Router) {
		changes.Use(a.authorised)
		changes.Post("/v1/workloads/{workload}/replicas/{replica}/restart", a.restart)
		changes.Put("/v1/workloads/{workload}/scale", a.scale)
		changes.Put("/v1/workloads/{workload}/version", a.version)
		changes.Delete("/v1/workloads/{workload}/state", a.wipe)
	})
	return quiet(cfg.Telemetry.Middleware(router)), nil
}

type api struct{ cfg Config }

// authorised lets changes pass that carry the token. Hashes of one length are compared, so that the time it takes tells
// nothing about the token.
func (a *api) authorised(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(a.cfg.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(given))
		if !bearer || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			writeError(w, http.StatusUnauthorized, "unauthorized",
				"changes need the header `Authorization: Bearer TOKEN` with the token of .faultline/run/control-token")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// fail answers with the status and code that belong to the error.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, supervisor.ErrNotFound):
		writeError(w, http.StatusNotFound, "not_found", err.Error())
	case errors.Is(err, supervisor.ErrConflict):
		writeError(w, http.StatusConflict, "conflict", err.Error())
	case errors.Is(err, supervisor.ErrInvalid):
		writeError(w, http.StatusUnprocessableEntity, "unprocessable", err.Error())
	default:
		a.cfg.Log.ErrorContext(r.Context(), "request failed inside", "method", r.Method, "path", r.URL.Path, "error", err.Error())
		writeError(w, http.StatusInternalServerError, "internal", "the supervisor failed to do this: its log (`stack logs supervisor`) says why")
	}
}

// read decodes the body; it answers itself and returns false when that is not possible.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return true
	case errors.As(err, &tooLarge):
		writeError(w, http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the body may have %d bytes", maxBody))
	default:
		writeError(w, http.StatusBadRequest, "bad_request", fmt.Sprintf("the body is not the JSON that this call takes: %v", err))
	}
	return false
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller has gone: nobody is left to be told
}

func writeError(w http.ResponseWriter, status int, code, message string) {
	write(w, status, map[string]any{"error": map[string]string{"code": code, "message": message}})
}
