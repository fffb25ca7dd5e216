package orders

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/service"
)

type api struct {
	placement *Placement
	log       *slog.Logger
}

// Handler is the HTTP API of orders; each request gets at most deadline.
func Handler(placement *Placement, log *slog.Logger, deadline time.Duration) http.Handler {
	a := api{placement: placement, log: log}
	r := chi.NewRouter()
	r.Use(service.Deadline(deadline))
	r.Post("/orders", a.place)
	r.Get("/orders/{id}", a.find)
	return r
}

type placed struct {
	OrderID    string `json:"order_id"`
	Status     Status `json:"status"`
	TotalCents int64  `json:"total_cents"`
}

func (a api) place(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	var request Request
	err := jsonhttp.Read(r, &request)
	if err == nil {
		request.IdempotencyKey = r.Header.Get("Idempotency-Key")
		var order Order
		if order, err = a.placement.Place(r.Context(), request); err == nil {
			a.log.InfoContext(r.Context(), "order placed", "order_id", order.ID, "status", order.Status,
				"total_cents", order.TotalCents, "duration_ms", milliseconds(started))
			jsonhttp.Write(w, http.StatusCreated, placed{order.ID, order.Status, order.TotalCents})
			return
		}
	}
	a.fail(w, r, request.orderID(), err, started)
}

func (a api) find(w http.ResponseWriter, r *http.Request) {
	started, id := time.Now(), chi.URLParam(r, "id")
	order, err := a.placement.Find(r.Context(), id)
	if err != nil {
		a.fail(w, r, id, err, started)
		return
	}
	jsonhttp.Write(w, http.StatusOK, order)
}

// fail answers and logs: an error for what nobody foresaw, a warning for what went wrong around here, a line for what
// the customer was refused.
func (a api) fail(w http.ResponseWriter, r *http.Request, orderID string, err error, started time.Time) {
	known := apierror.From(err)
	level := slog.LevelWarn
	switch status := known.Code.Status(); {
	case status < http.StatusInternalServerError:
		level = slog.LevelInfo
	case known.Code == apierror.Internal:
		level = slog.LevelError
	}
	a.log.Log(r.Context(), level, "order request failed", "order_id", orderID, "method", r.Method,
		"status", string(known.Code), "duration_ms", milliseconds(started), "error", err)
	apierror.Write(w, known)
}

func milliseconds(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()) / 1000
}
