package orders

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/service"
)

// APIConfig is what the API needs; every field is required.
type APIConfig struct {
	Placement *Placement
	// Imports takes the parts of a marketplace's batch, Reports answers the back office.
	Imports, Reports http.Handler
	// Deadline bounds each request of a customer; the back office has time of its own.
	Deadline, ImportDeadline, ReportDeadline time.Duration
	Log                                      *slog.Logger
}

type api struct {
	placement *Placement
	log       *slog.Logger
}

// Handler is the HTTP API of orders.
func Handler(cfg APIConfig) http.Handler {
	a := api{placement: cfg.Placement, log: cfg.Log}
	r := chi.NewRouter()
	customers := r.With(service.Deadline(cfg.Deadline))
	customers.Post("/orders", a.place)
	customers.Get("/orders/{id}", a.find)
	r.With(service.Deadline(cfg.ImportDeadline)).Method(http.MethodPost, "/imports", cfg.Imports)
	r.With(service.Deadline(cfg.ReportDeadline)).Method(http.MethodGet, "/reports/revenue", cfg.Reports)
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
		request.DeferPayment = r.Header.Get("Faultline-Payment") == "deferred"
		var order Order
		if order, err = a.placement.Place(r.Context(), request); err == nil {
			a.log.InfoContext(r.Context(), "order placed", "order_id", order.ID,
				"total_cents", order.TotalCents, "duration_ms", milliseconds(started))
			jsonhttp.Write(w, http.StatusCreated, placed{order.ID, order.Status, order.TotalCents})
			return
		}
	}
	a.notPlaced(r.Context(), request.orderID(), err, started)
	apierror.Write(w, err)
}

// notPlaced says why: an error for what nobody foresaw, a warning for what went wrong around here, a line for what the
// customer was refused. Which request it was, its status and how long a failed one took is in telemetry's own line.
func (a api) notPlaced(ctx context.Context, orderID string, err error, started time.Time) {
	known := apierror.From(err)
	if known.Code.Status() < http.StatusInternalServerError {
		a.log.InfoContext(ctx, "order refused", "order_id", orderID, "error_code", known.Code, "error", err,
			"duration_ms", milliseconds(started))
		return
	}
	a.log.Log(ctx, apierror.Level(known), "order not placed", "order_id", orderID, "error_code", known.Code, "error", err)
}

func (a api) find(w http.ResponseWriter, r *http.Request) {
	id := chi.URLParam(r, "id")
	order, err := a.placement.Find(r.Context(), id)
	if err != nil {
		if known := apierror.From(err); known.Code.Status() >= http.StatusInternalServerError {
			a.log.Log(r.Context(), apierror.Level(known), "order not read", "order_id", id, "error_code", known.Code, "error", err)
		}
		apierror.Write(w, err)
		return
	}
	jsonhttp.Write(w, http.StatusOK, order)
}

func milliseconds(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()) / 1000
}
