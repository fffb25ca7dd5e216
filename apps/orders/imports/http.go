package imports

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/counts"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
)

// result is what came of a part.
type result string

const (
	accepted    result = "accepted"
	repeated    result = "repeated"    // it was there already
	refused     result = "refused"     // the sender must change something
	unavailable result = "unavailable" // no connection in time
	failed      result = "failed"
)

func resultOf(first bool, err error) result {
	switch {
	case err == nil && first:
		return accepted
	case err == nil:
		return repeated
	case apierror.From(err).Code.Status() < http.StatusInternalServerError:
		return refused
	case apierror.Is(err, apierror.Unavailable):
		return unavailable
	default:
		return failed
	}
}

// Store keeps parts.
type Store interface {
	// Write writes a part once, and says whether it was new.
	Write(ctx context.Context, part Part) (first bool, err error)
}

// Config is what the API needs; every field is required.
type Config struct {
	Store Store
	Log   *slog.Logger
	// MeterProvider takes the counter of parts.
	MeterProvider metric.MeterProvider
}

// API takes parts over HTTP.
type API struct {
	Config
	parts *counts.Counter[result]
}

// NewAPI makes an API.
func NewAPI(cfg Config) (*API, error) {
	if cfg.Store == nil || cfg.Log == nil || cfg.MeterProvider == nil {
		return nil, errors.New("imports: the API needs Store, Log and MeterProvider")
	}
	parts, err := counts.New(cfg.MeterProvider.Meter("github.com/faultline-lab/faultline/apps/orders/imports"), counts.Config[result]{
		Name: "orders.import.parts", Unit: "{part}", Help: "Parts of batches that were sent, by what came of them.",
		Label: "result", Values: []result{accepted, repeated, refused, unavailable, failed},
	})
	return &API{Config: cfg, parts: parts}, err
}

type taken struct {
	Accepted int `json:"accepted"`
}

// ServeHTTP takes one part: 202 once it is written, also when it was before.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var part Part
	err := jsonhttp.Read(r, &part)
	if err == nil {
		err = part.validate()
	}
	var first bool
	if err == nil {
		first, err = a.Store.Write(r.Context(), part)
	}
	a.parts.Add(r.Context(), resultOf(first, err), 1)
	if err != nil {
		if known := apierror.From(err); known.Code.Status() >= http.StatusInternalServerError {
			a.Log.Log(r.Context(), apierror.Level(known), "part of a batch not imported", "batch", part.Batch, "part", part.Part,
				"error_code", known.Code, "error", err)
		}
		apierror.Write(w, err)
		return
	}
	jsonhttp.Write(w, http.StatusAccepted, taken{len(part.Lines)})
}
