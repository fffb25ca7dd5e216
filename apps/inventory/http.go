package inventory

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

type api struct {
	store *Postgres
	log   *slog.Logger
}

// Handler is the HTTP API of inventory; each request gets at most deadline.
func Handler(store *Postgres, log *slog.Logger, deadline time.Duration) http.Handler {
	a := api{store: store, log: log}
	r := chi.NewRouter()
	r.Use(service.Deadline(deadline))
	r.Get("/products", a.products)
	r.Get("/products/{sku}", a.product)
	r.Post("/reservations", a.reserve)
	r.Post("/reservations/{id}/commit", a.end(store.Commit))
	r.Post("/reservations/{id}/release", a.end(store.Release))
	return r
}

func (a api) products(w http.ResponseWriter, r *http.Request) {
	products, err := a.store.Products(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	jsonhttp.Write(w, http.StatusOK, map[string][]Product{"products": products})
}

func (a api) product(w http.ResponseWriter, r *http.Request) {
	product, err := a.store.Product(r.Context(), chi.URLParam(r, "sku"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	jsonhttp.Write(w, http.StatusOK, product)
}

func (a api) reserve(w http.ResponseWriter, r *http.Request) {
	var wanted Reservation
	if err := jsonhttp.Read(r, &wanted); err != nil {
		a.fail(w, r, err)
		return
	}
	reserved, err := a.store.Reserve(r.Context(), wanted)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	jsonhttp.Write(w, http.StatusCreated, Reservation{ID: reserved.ID, TotalCents: reserved.TotalCents})
}

func (a api) end(how func(context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := how(r.Context(), chi.URLParam(r, "id")); err != nil {
			a.fail(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// fail answers, and logs what is not the caller's own doing.
func (a api) fail(w http.ResponseWriter, r *http.Request, err error) {
	known := apierror.From(err)
	if known.Code.Status() >= http.StatusInternalServerError {
		a.log.Log(r.Context(), apierror.Level(known), "request not served", "path", r.URL.Path,
			"error_code", known.Code, "error", err)
	}
	apierror.Write(w, known)
}
