package loadgen

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
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
		browses:   counter("loadgen_browses_total", "Product pages that were asked for, by status; 0 is no answer.", "status"),
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
	for _, outcome := range Outcomes() {
		m.checkouts.WithLabelValues(string(outcome))
	}
	for _, collector := range []prometheus.Collector{m.checkouts, m.failures, m.browses, m.seconds, m.latency, m.lateness, m.steps} {
		if err := registerer.Register(collector); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Watch adds the gauges of a generator.
func (m *Metrics) Watch(registerer prometheus.Registerer, g *Generator) error {
	gauges := []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "loadgen_rate", Help: "Checkouts per second that are to be sent.",
		}, func() float64 { return float64(g.Rate()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "loadgen_in_flight", Help: "Requests that wait for an answer.",
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
	m.lateness.Observe(lateness.Seconds())
	m.latency.Observe(answer.Latency.Seconds())
	if answer.Outcome() == Failed {
		m.failures.WithLabelValues(reason(answer)).Inc()
	}
}

func reason(answer Answer) string {
	switch {
	case answer.Unsent:
		return "unsent"
	case answer.Status == 0:
		return "no_answer"
	default:
		return strconv.Itoa(answer.Status)
	}
}

// BrowseEnded counts a product page.
func (m *Metrics) BrowseEnded(status int) { m.browses.WithLabelValues(strconv.Itoa(status)).Inc() }

// ClockStepped notes that seconds are counted anew.
func (m *Metrics) ClockStepped(by time.Duration) {
	m.steps.Inc()
	m.log.Warn("the wall clock was moved, or this machine slept: counting seconds anew", "by", by)
}

// SecondFinished counts a second.
func (m *Metrics) SecondFinished(second Second) {
	m.seconds.WithLabelValues(strconv.FormatBool(second.OK)).Inc()
}
