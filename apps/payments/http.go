package payments

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/service"
)

type answer struct {
	AuthorizationID string `json:"authorization_id"`
	Status          string `json:"status"`
}

// Handler is the HTTP API of payments; each request gets at most deadline.
func Handler(provider *Provider, extra *ExtraLatency, failing *Failing, log *slog.Logger, deadline time.Duration) http.Handler {
	r := chi.NewRouter()
	r.Use(service.Deadline(deadline))
	r.Get("/v1/latency", extra.show)
	r.Put("/v1/latency", extra.change)
	r.Get("/v1/errors", failing.show)
	r.Put("/v1/errors", failing.change)
	r.Post("/authorizations", func(w http.ResponseWriter, r *http.Request) {
		var payment Payment
		err := jsonhttp.Read(r, &payment)
		var id string
		if err == nil && failing.strikes() {
			err = errProvider
		}
		if err == nil {
			id, err = provider.Authorize(r.Context(), r.Header.Get("Idempotency-Key"), payment)
		}
		if err != nil {
			known := apierror.From(err)
			if known.Code.Status() >= http.StatusInternalServerError {
				log.Log(r.Context(), apierror.Level(known), "payment not answered", "order_id", payment.OrderID,
					"error_code", known.Code, "error", err)
			}
			apierror.Write(w, known)
			return
		}
		jsonhttp.Write(w, http.StatusCreated, answer{id, string(authorized)})
	})
	return r
}
