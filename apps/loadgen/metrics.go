package loadgen

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

// Metrics is the load generator's view of itself and of what it got. Nothing but people reads it: the SLI that decides
// is the stream of seconds.
type Metrics struct {
	log       *slog.Logger
	checkouts *prometheus.CounterVec
	failures  *prometheus.CounterVec
	browses   *prometheus.CounterVec
	latency   prometheus.Histogram
	lateness  prometheus.Histogram
	seconds   *prometheus.CounterVec
	steps     prometheus.Counter
}

// NewMetrics registers the loadgen_* metrics. Every outcome is 0 from the start.
func NewMetrics(registerer prometheus.Registerer, log *slog.Logger) (*Metrics, error) {
	counter := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}
	m := &Metrics{
		log:       log,
		checkouts: counter("loadgen_checkouts_total", "Checkouts that ended, by outcome.", "outcome"),
		failures:  counter("loadgen_failed_checkouts_total", "Failed checkouts by reason: the status, no_answer, or unsent when too many were in flight.", "reason"),
		browses:   counter("loadgen_browses_total", "Product pages that were asked for, by status, or no_answer.", "status"),
		seconds:   counter("loadgen_seconds_total", "Finished seconds, by whether they were ok.", "ok"),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "loadgen_checkout_latency_seconds",
			Help:    "Time from the intended send time of a checkout until it ended.",
			Buckets: []float64{.05, .1, .15, .2, .3, .4, .5, .75, 1, 1.5, 2.5, 5},
		}),
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "loadgen_send_lateness_seconds",
			Help:    "Time from the intended send time of a checkout until it left.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .5, 1, 5},
		}),
		steps: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "loadgen_clock_steps_total", Help: "Times that the wall clock was moved and seconds were counted anew.",
		}),
	}
	m.zero()
	for _, collector := range []prometheus.Collector{m.checkouts, m.failures, m.browses, m.seconds, m.latency, m.lateness, m.steps} {
		if err := registerer.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// zero exports 0 of what there is none of yet: every outcome, and the answers that a shop in trouble gives.
func (m *Metrics) zero() {
	for _, outcome := range Outcomes() {
		m.checkouts.WithLabelValues(string(outcome))
	}
	for _, ok := range []bool{true, false} {
		m.seconds.WithLabelValues(strconv.FormatBool(ok))
	}
	for _, status := range []int{0, http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusGatewayTimeout} {
		m.failures.WithLabelValues(answered(status))
		m.browses.WithLabelValues(answered(status))
	}
	m.failures.WithLabelValues("unsent")
	m.browses.WithLabelValues(answered(http.StatusOK))
}

// Watch adds the gauges of a generator.
func (m *Metrics) Watch(registerer prometheus.Registerer, g *Generator) error {
	gauges := []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "loadgen_target_checkouts_per_second", Help: "Checkouts per second that are to be sent.",
		}, func() float64 { return float64(g.Rate()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "loadgen_in_flight_requests", Help: "Requests that wait for an answer.",
		}, func() float64 { return float64(g.InFlight()) }),
	}
	for _, gauge := range gauges {
		if err := registerer.Register(gauge); err != nil {
			return err
		}
	}
	return nil
}

// CheckoutEnded counts a checkout.
func (m *Metrics) CheckoutEnded(answer Answer, lateness time.Duration) {
	m.checkouts.WithLabelValues(string(answer.Outcome())).Inc()
	ctx := trace.ContextWithSpanContext(context.Background(), answer.Span)
	telemetry.ObserveWithTrace(ctx, m.lateness, lateness.Seconds())
	telemetry.ObserveWithTrace(ctx, m.latency, answer.Latency.Seconds())
	if answer.Outcome() == Failed {
		m.failures.WithLabelValues(reason(answer)).Inc()
	}
}

func reason(answer Answer) string {
	if answer.Unsent {
		return "unsent"
	}
	return answered(answer.Status)
}

// answered is a status as a label. What is no status of HTTP's own is other: a server can invent hundreds.
func answered(status int) string {
	switch {
	case status == 0:
		return "no_answer"
	case http.StatusText(status) == "":
		return "other"
	default:
		return strconv.Itoa(status)
	}
}

// BrowseEnded counts a product page.
func (m *Metrics) BrowseEnded(status int) { m.browses.WithLabelValues(answered(status)).Inc() }

// ClockStepped notes that seconds are counted anew.
func (m *Metrics) ClockStepped(by time.Duration) {
	m.steps.Inc()
	m.log.Warn("the wall clock was moved, or this machine slept: counting seconds anew", "step_ms", by.Milliseconds())
}

// SecondFinished counts a second.
func (m *Metrics) SecondFinished(second Second) {
	m.seconds.WithLabelValues(strconv.FormatBool(second.OK)).Inc()
}
