// Package storefront is the edge: it takes checkouts and passes them to a replica of orders, and lets people browse
// what inventory has.
//
// Which replica a request goes to is decided in balancer.go; where the replicas are is found out in discovery.go, on
// Kubernetes in endpoints.go. In which mode checkouts are treated is kept in package mode, and followed in checkout.go;
// orders that were accepted and are not placed yet are in package queue.
package storefront

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/service"
	"github.com/faultline-lab/faultline/apps/storefront/mode"
	"github.com/faultline-lab/faultline/apps/storefront/queue"
)

// APIConfig is what the API needs; every field but Mode and Queue is required.
type APIConfig struct {
	Orders       *Balancer
	InventoryURL string
	// Client is used for orders and inventory.
	Client *http.Client
	// Deadline bounds each request of a customer. ImportDeadline and ReportDeadline are those of the back office: a batch's
	// parts and reports take longer than any customer would wait.
	Deadline, ImportDeadline, ReportDeadline time.Duration
	Log                                      *slog.Logger
	MeterProvider                            metric.MeterProvider
	// Mode is how checkouts are treated at this moment; normal by default.
	Mode func() mode.Setting
	// Queue takes orders in while the mode is accept, which cannot be without it.
	Queue *queue.Queue
}

type api struct {
	APIConfig
	metrics apiMetrics
	gate    *gate
	shelf   *shelf
}

func newAPI(cfg APIConfig) (api, error) {
	if cfg.Orders == nil || cfg.InventoryURL == "" || cfg.Client == nil || cfg.Log == nil || cfg.MeterProvider == nil ||
		cfg.Deadline <= 0 || cfg.ImportDeadline <= 0 || cfg.ReportDeadline <= 0 {
		return api{}, errors.New("storefront: the API needs Orders, InventoryURL, Client, Log, MeterProvider and positive deadlines")
	}
	if cfg.Mode == nil {
		cfg.Mode = func() mode.Setting { return mode.Setting{Mode: mode.Normal} }
	}
	metrics, err := newAPIMetrics(cfg.MeterProvider)
	return api{APIConfig: cfg, metrics: metrics, gate: &gate{}, shelf: newShelf()}, err
}

// Handler is the HTTP API of the edge.
func Handler(cfg APIConfig) (http.Handler, error) {
	a, err := newAPI(cfg)
	if err != nil {
		return nil, err
	}
	return a.routes(), nil
}

func (a api) routes() http.Handler {
	r := chi.NewRouter()
	customers := r.With(service.Deadline(a.Deadline))
	customers.Post("/checkout", a.checkout)
	customers.Get("/orders/{id}", a.order)
	customers.Get("/products", a.products)
	customers.Get("/products/{sku}", a.product)
	r.With(service.Deadline(a.ImportDeadline)).Post("/imports", a.imports)
	r.With(service.Deadline(a.ReportDeadline)).Get("/reports/revenue", a.revenue)
	return r
}

// order finds an order by its id, or by the key under which it was accepted.
func (a api) order(w http.ResponseWriter, r *http.Request) {
	id := chi.URLParam(r, "id")
	if a.accepted(w, r, id) {
		return
	}
	a.pass(w, r, http.StatusOK, jsonhttp.Call{Method: http.MethodGet, URL: "/orders/" + url.PathEscape(id)})
}

// imports passes one part of a marketplace's batch on; its name makes it repeatable.
func (a api) imports(w http.ResponseWriter, r *http.Request) {
	var body json.RawMessage
	if err := jsonhttp.Read(r, &body); err != nil {
		a.fail(w, r, err)
		return
	}
	a.pass(w, r, http.StatusAccepted, jsonhttp.Call{Method: http.MethodPost, URL: "/imports", Body: body})
}

func (a api) revenue(w http.ResponseWriter, r *http.Request) {
	a.pass(w, r, http.StatusOK, jsonhttp.Call{
		Method: http.MethodGet, URL: "/reports/revenue?" + url.Values{"days": r.URL.Query()["days"]}.Encode(),
	})
}

// pass sends the call to a replica of orders and passes the answer on.
func (a api) pass(w http.ResponseWriter, r *http.Request, success int, call jsonhttp.Call) {
	answer, err := a.askOrders(r.Context(), call)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	jsonhttp.Write(w, success, answer)
}

// askOrders sends the call, whose URL is a path, to a replica of orders.
func (a api) askOrders(ctx context.Context, call jsonhttp.Call) (answer json.RawMessage, err error) {
	path := call.URL
	call.Into = &answer
	err = a.Orders.Do(ctx, func(ctx context.Context, backend Backend) error {
		call.URL = backend.URL + path
		return jsonhttp.Do(ctx, a.Client, call)
	})
	return answer, err
}

func (a api) products(w http.ResponseWriter, r *http.Request) {
	a.browse(w, r, "/products")
}

func (a api) product(w http.ResponseWriter, r *http.Request) {
	a.browse(w, r, "/products/"+url.PathEscape(chi.URLParam(r, "sku")))
}

// browse shows what inventory has. While orders are only accepted, it shows what inventory had when it was last asked: the
// database behind it may be what is in trouble.
func (a api) browse(w http.ResponseWriter, r *http.Request, path string) {
	if kept, there := a.shelf.get(path); there && a.Mode().Mode == mode.Accept {
		w.Header().Set("Age", strconv.Itoa(int(time.Since(kept.at).Seconds())))
		jsonhttp.Write(w, http.StatusOK, kept.body)
		return
	}
	var answer json.RawMessage
	call := jsonhttp.Call{Method: http.MethodGet, URL: a.InventoryURL + path, Into: &answer}
	if err := jsonhttp.Do(r.Context(), a.Client, call); err != nil {
		a.fail(w, r, err)
		return
	}
	a.shelf.put(path, answer)
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
