package payments

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/temporary"
)

// maxExtra is the most that may be put on top: every caller has given up long before.
const maxExtra = 30 * time.Second

// ExtraLatency is time that each payment takes on top of its usual one, for a while: a provider's slow day, to be had on
// demand. It ends by itself, so that whoever asked for it may be gone.
type ExtraLatency struct {
	setting *temporary.Setting[time.Duration]
}

// NewExtraLatency makes one that is 0, and its gauge.
func NewExtraLatency(meters metric.MeterProvider) (*ExtraLatency, error) {
	e := &ExtraLatency{setting: temporary.New[time.Duration](0)}
	_, err := meters.Meter(scope).Float64ObservableGauge("payments.extra_latency", metric.WithUnit("s"),
		metric.WithDescription("Time that each payment takes on top of its usual one, because somebody asked for it."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(e.setting.View().Now.Seconds())
			return nil
		}))
	return e, err
}

// OnTopOf adds what is asked for now to each latency of a source.
func (e *ExtraLatency) OnTopOf(latency func() time.Duration) func() time.Duration {
	return func() time.Duration { return latency() + e.setting.View().Now }
}

// latencyBody is the request and the answer; until is the answer's only, for the request's only.
type latencyBody struct {
	ExtraMillis *int64     `json:"extra_ms"`
	For         string     `json:"for,omitempty"`
	Until       *time.Time `json:"until,omitempty"`
}

func (e *ExtraLatency) show(w http.ResponseWriter, _ *http.Request) {
	view := e.setting.View()
	body := latencyBody{ExtraMillis: new(view.Now.Milliseconds())}
	if !view.Until.IsZero() {
		body.Until = new(view.Until.UTC())
	}
	jsonhttp.Write(w, http.StatusOK, body)
}

func (e *ExtraLatency) change(w http.ResponseWriter, r *http.Request) {
	var body latencyBody
	err := jsonhttp.Read(r, &body)
	if err == nil {
		err = e.apply(body)
	}
	if err != nil {
		apierror.Write(w, err)
		return
	}
	e.show(w, r)
}

func (e *ExtraLatency) apply(body latencyBody) error {
	if body.ExtraMillis == nil {
		return apierror.New(apierror.BadRequest, `send {"extra_ms": 300, "for": "60s"}, or {"extra_ms": 0} to end it`)
	}
	if *body.ExtraMillis < 0 || *body.ExtraMillis > maxExtra.Milliseconds() {
		return apierror.New(apierror.Unprocessable, "extra_ms is %d; give 0 to %d", *body.ExtraMillis, maxExtra.Milliseconds())
	}
	if *body.ExtraMillis == 0 {
		e.setting.Set(0)
		return nil
	}
	period, err := temporary.Period(body.For)
	if err != nil {
		return err
	}
	e.setting.SetFor(time.Duration(*body.ExtraMillis)*time.Millisecond, period)
	return nil
}
