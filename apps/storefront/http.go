// Package storefront is the edge: it takes checkouts and passes them to a replica of orders, and lets people browse
// what inventory has.
//
// Which replica a request goes to is decided in balancer.go; where the replicas are is found out in discovery.go, on
// Kubernetes in endpoints.go.
package storefront

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/service"
)

// APIConfig is what the API needs; every field is required.
type APIConfig struct {
	Orders       *Balancer
	InventoryURL string
	// Client is used for orders and inventory.
	Client *http.Client
	// Deadline bounds each request of a customer. ImportDeadline and ReportDeadline are those of the back office: a batch's
	// parts and reports take longer than any customer would wait.
	Deadline, ImportDeadline, ReportDeadline time.Duration
	Log                                      *slog.Logger
}

type api struct{ APIConfig }

// Handler is the HTTP API of the edge.
func Handler(cfg APIConfig) (http.Handler, error) {
	if cfg.Orders == nil || cfg.InventoryURL == "" || cfg.Client == nil || cfg.Log == nil ||
		cfg.Deadline <= 0 || cfg.ImportDeadline <= 0 || cfg.ReportDeadline <= 0 {
		return nil, errors.New("storefront: the API needs Orders, InventoryURL, Client, Log and positive deadlines")
	}
	a := api{cfg}
	r := chi.NewRouter()
	customers := r.With(service.Deadline(cfg.Deadline))
	customers.Post("/checkout", a.checkout)
	customers.Get("/orders/{id}", a.order)
	customers.Get("/products", a.products)
	customers.Get("/products/{sku}", a.product)
	r.With(service.Deadline(cfg.ImportDeadline)).Post("/imports", a.imports)
	r.With(service.Deadline(cfg.ReportDeadline)).Get("/reports/revenue", a.revenue)
	return r, nil
}

// checkout passes the body on as it is; orders says what is wrong with it. A client without a key of its own gets one,
// which makes the hop to orders repeatable but not the client's own retry.
func (a api) checkout(w http.ResponseWriter, r *http.Request) {
	var body json.RawMessage
	if err := jsonhttp.Read(r, &body); err != nil {
		a.fail(w, r, err)
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		key = uuid.NewString()
	}
	a.askOrders(w, r, http.StatusCreated, jsonhttp.Call{
		Method: http.MethodPost, URL: "/orders", IdempotencyKey: key, Body: body,
	})
}

func (a api) order(w http.ResponseWriter, r *http.Request) {
	a.askOrders(w, r, http.StatusOK, jsonhttp.Call{
		Method: http.MethodGet, URL: "/orders/" + url.PathEscape(chi.URLParam(r, "id")),
	})
}

// imports passes one part of a marketplace's batch on; its name makes it repeatable.
func (a api) imports(w http.ResponseWriter, r *http.Request) {
	var body json.RawMessage
	if err := jsonhttp.Read(r, &body); err != nil {
		a.fail(w, r, err)
		return
	}
	a.askOrders(w, r, http.StatusAccepted, jsonhttp.Call{Method: http.MethodPost, URL: "/imports", Body: body})
}

func (a api) revenue(w http.ResponseWriter, r *http.Request) {
	a.askOrders(w, r, http.StatusOK, jsonhttp.Call{
		Method: http.MethodGet, URL: "/reports/revenue?" + url.Values{"days": r.URL.Query()["days"]}.Encode(),
	})
}

// askOrders sends the call, whose URL is a path, to a replica of orders and passes the answer on.
func (a api) askOrders(w http.ResponseWriter, r *http.Request, success int, call jsonhttp.Call) {
	var answer json.RawMessage
	path := call.URL
	call.Into = &answer
	err := a.Orders.Do(r.Context(), func(ctx context.Context, backend Backend) error {
		call.URL = backend.URL + path
		return jsonhttp.Do(ctx, a.Client, call)
	})
	if err != nil {
		a.fail(w, r, err)
		return
	}
	jsonhttp.Write(w, success, answer)
}

func (a api) products(w http.ResponseWriter, r *http.Request) {
	a.askInventory(w, r, "/products")
}

func (a api) product(w http.ResponseWriter, r *http.Request) {
	a.askInventory(w, r, "/products/"+url.PathEscape(chi.URLParam(r, "sku")))
}

func (a api) askInventory(w http.ResponseWriter, r *http.Request, path string) {
	var answer json.RawMessage
	call := jsonhttp.Call{Method: http.MethodGet, URL: a.InventoryURL + path, Into: &answer}
	if err := jsonhttp.Do(r.Context(), a.Client, call); err != nil {
		a.fail(w, r, err)
		return
	}
	jsonhttp.Write(w, http.StatusOK, answer)
}

// fail answers, and logs what is not the customer's own doing. What went wrong inside a service behind the edge is
// "unavailable" to a customer, who can only try again.
func (a api) fail(w http.ResponseWriter, r *http.Request, err error) {
	known := apierror.From(err)
	if known.Code == apierror.Internal {
		known = apierror.New(apierror.Unavailable, "this did not work; try again with the same Idempotency-Key").Because(err)
	}
	if known.Code.Status() >= http.StatusInternalServerError {
		a.Log.Log(r.Context(), apierror.Level(known), "request not served", "path", r.URL.Path,
			"error_code", known.Code, "error", err)
	}
	apierror.Write(w, known)
}
