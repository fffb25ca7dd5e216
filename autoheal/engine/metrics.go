package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// metrics are the engine's own. Every counter is there from the start, else rate() would miss its first step.
type metrics struct {
	incidents *prometheus.CounterVec
	actions   *prometheus.CounterVec
	refusals  *prometheus.CounterVec
	stages    *prometheus.HistogramVec
	toAction  prometheus.Histogram
	open      prometheus.Gauge
	queueAge  prometheus.Gauge
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	buckets := []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30, 60}
	m := &metrics{
		incidents: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "autoheal_incidents_total", Help: "Incidents that ended, by diagnosed cause and outcome.",
		}, []string{"cause", "outcome"}),
		actions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "autoheal_actions_total", Help: "Actions that finished, by remedy and result.",
		}, []string{"remedy", "result"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "autoheal_guard_refusals_total", Help: "Actions that a guard refused, by guard.",
		}, []string{"guard"}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "autoheal_stage_duration_seconds", Help: "Time that incidents spent in each stage.", Buckets: buckets,
		}, []string{"stage"}),
		toAction: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "autoheal_webhook_to_action_seconds", Help: "Time from the first webhook to the first action.", Buckets: buckets,
		}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "autoheal_open_incidents", Help: "Incidents that still need the healer.",
		}),
		queueAge: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "autoheal_queue_age_seconds", Help: "Age of the oldest alert that belongs to no incident yet.",
		}),
	}
	m.fromZero()
	var errs []error
	for _, c := range []prometheus.Collector{m.incidents, m.actions, m.refusals, m.stages, m.toAction, m.open, m.queueAge} {
		errs = append(errs, registerer.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	return m, nil
}

func (m *metrics) fromZero() {
	causes := []incident.Cause{incident.Inconclusive}
	for cause := range diagnose.Causes() {
		causes = append(causes, cause)
	}
	for _, cause := range causes {
		for _, outcome := range []incident.Outcome{incident.Recovered, incident.SelfRecovered, incident.HandedOver} {
			m.incidents.WithLabelValues(string(cause), string(outcome))
		}
	}
	for _, result := range []string{incident.ResultDone, incident.ResultSkipped, incident.ResultFailed} {
		m.actions.WithLabelValues(remedy.RestartReplicasName, result)
	}
	for _, rule := range guard.Rules() {
		m.refusals.WithLabelValues(rule.Name)
	}
	for _, stage := range []incident.State{
		incident.Received, incident.Diagnosed, incident.Decided, incident.Acting, incident.Verifying, incident.Stabilising,
	} {
		m.stages.WithLabelValues(string(stage))
	}
}

func (m *metrics) ended(cause incident.Cause, outcome incident.Outcome) {
	m.incidents.WithLabelValues(string(cause), string(outcome)).Inc()
}

func (m *metrics) acted(s incident.Stages) {
	m.toAction.Observe(s.ActionStarted.Sub(*s.WebhookReceived).Seconds())
}

func (m *metrics) setQueueAge(waiting []incident.Alert, now time.Time) {
	age := 0.0
	for _, a := range waiting {
		age = max(age, now.Sub(a.ReceivedAt).Seconds())
	}
	m.queueAge.Set(age)
}
