package loadgen

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/temporary"
)

// writeBound is how long a reader may take to accept a line before it is dropped.
const writeBound = 10 * time.Second

// API serves the finished seconds and the rate.
type API struct {
	Generator *Generator
	History   *History
	// Ending is closed when the program is told to stop; it ends the streams, which would otherwise hold up the end.
	Ending <-chan struct{}
}

// Routes gives the API's routes.
func (a *API) Routes() (http.Handler, error) {
	if a.Generator == nil || a.History == nil || a.Ending == nil {
		return nil, errors.New("loadgen: API needs Generator, History and Ending")
	}
	r := chi.NewRouter()
	r.Get("/v1/sli", a.sli)
	r.Get("/v1/rate", a.rate)
	r.Put("/v1/rate", a.setRate)
	return r, nil
}

// rateBody is the request and the answer. While a rate holds for a time, the answer says until when, and which comes then.
type rateBody struct {
	CheckoutsPerSecond *int       `json:"checkouts_per_second"`
	For                *string    `json:"for,omitempty"`
	Usual              *int       `json:"usual_checkouts_per_second,omitempty"`
	Until              *time.Time `json:"until,omitempty"`
}

func (a *API) rate(w http.ResponseWriter, _ *http.Request) {
	rates := a.Generator.Rates()
	body := rateBody{CheckoutsPerSecond: &rates.Now}
	if !rates.Until.IsZero() {
		body.Usual, body.Until = &rates.Usual, new(rates.Until.UTC())
	}
	jsonhttp.Write(w, http.StatusOK, body)
}

func (a *API) setRate(w http.ResponseWriter, r *http.Request) {
	var body rateBody
	err := jsonhttp.Read(r, &body)
	if err == nil {
		err = a.apply(body)
	}
	if err != nil {
		apierror.Write(w, err)
		return
	}
	a.rate(w, r)
}

func (a *API) apply(body rateBody) error {
	if body.CheckoutsPerSecond == nil {
		return apierror.New(apierror.BadRequest, `send {"checkouts_per_second": 40}, with "for": "60s" when it is to end by itself`)
	}
	var period time.Duration
	if body.For != nil {
		var err error
		if period, err = temporary.Period(*body.For); err != nil {
			return err
		}
	}
	if err := a.Generator.SetRate(*body.CheckoutsPerSecond, period); err != nil {
		return apierror.New(apierror.Unprocessable, "%s", err)
	}
	return nil
}

// sli writes the finished seconds from since on, or all that are kept, and goes on with follow=true.
func (a *API) sli(w http.ResponseWriter, r *http.Request) {
	var since time.Time
	if text := r.URL.Query().Get("since"); text != "" {
		parsed, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			apierror.Write(w, apierror.New(apierror.BadRequest,
				"since=%q is no RFC 3339 time: write it like 2026-01-02T03:04:05Z", text))
			return
		}
		since = parsed
	}
	follow := r.URL.Query().Get("follow")
	if follow != "" && follow != "true" && follow != "false" {
		apierror.Write(w, apierror.New(apierror.BadRequest, "follow=%q: use true or false", follow))
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	a.stream(w, r, since, follow == "true")
}

// follows says that a request's answer lasts as long as its reader likes.
func follows(r *http.Request) bool {
	return r.URL.Path == "/v1/sli" && r.URL.Query().Get("follow") == "true"
}

func (a *API) stream(w http.ResponseWriter, r *http.Request, since time.Time, follow bool) {
	out := http.NewResponseController(w)
	lines := json.NewEncoder(w)
	for {
		seconds, more := a.History.From(since)
		// Without a deadline a reader that has stopped reading would keep its goroutine for ever; where the writer
		// has none, the connection's own end is the bound.
		_ = out.SetWriteDeadline(time.Now().Add(writeBound))
		for _, second := range seconds {
			if err := lines.Encode(second); err != nil {
				return
			}
			since = second.Second.Add(time.Nanosecond)
		}
		if err := out.Flush(); err != nil || !follow {
			return
		}
		select {
		case <-more:
		case <-a.Ending:
			return
		case <-r.Context().Done():
			return
		}
	}
}
