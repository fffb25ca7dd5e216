package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// What came of a verification, and of one reading of the edge.
const (
	proved     = "proved"     // the edge was good often enough in a row
	stillSick  = "still-sick" // a replica shows the cause, so the proof need not be waited for
	notProved  = "not-proved" // not good often enough in time
	stayedGood = "held"       // good to the end of the hold
	relapsed   = "relapsed"   // bad again within the hold

	readingGood    = "good"
	readingBad     = "bad"
	readingUnknown = "unknown"
)

// metrics are the engine's own. Every counter is there from the start, else rate() would miss its first step.
type metrics struct {
	remedies      []string
	incidents     *prometheus.CounterVec
	actions       *prometheus.CounterVec
	undone        *prometheus.CounterVec
	refusals      *prometheus.CounterVec
	verifications *prometheus.CounterVec
	readings      *prometheus.CounterVec
	facts         *prometheus.CounterVec
	stages        *prometheus.HistogramVec
	took          *prometheus.HistogramVec
	gathering     prometheus.Histogram
	toAction      prometheus.Histogram
	open          *prometheus.GaugeVec
	standing      *prometheus.GaugeVec
	queueAge      prometheus.Gauge
}

// openStates are those in which an incident still needs the healer.
var openStates = []incident.State{
	incident.Received, incident.Diagnosed, incident.Awaiting, incident.Decided, incident.Acting, incident.Verifying,
	incident.Stabilising, incident.Holding, incident.Reverting,
}

func newMetrics(registerer prometheus.Registerer, remedies []string) (*metrics, error) {
	m := &metrics{
		remedies:  remedies,
		incidents: counter("autoheal_incidents_total", "Incidents that ended, by diagnosed cause and outcome.", "cause", "outcome"),
		actions:   counter("autoheal_actions_total", "Actions that finished, by remedy and result.", "remedy", "result"),
		undone: counter("autoheal_changes_total",
			"Changes that ended, by remedy and what became of them: undone or left.", "remedy", "state"),
		refusals: counter("autoheal_guard_refusals_total", "Actions that a guard refused, by guard.", "guard"),
		verifications: counter("autoheal_verifications_total",
			"What came of proofs and holds: proved, still-sick, not-proved, held or relapsed.", "result"),
		readings: counter("autoheal_edge_readings_total", "Readings of the edge's own SLI: good, bad or unknown.", "result"),
		facts:    counter("autoheal_facts_total", "Facts that were gathered, by source and whether they could be had.", "source", "status"),
		stages:   histograms("autoheal_stage_duration_seconds", "Time that incidents spent in each stage.", "stage"),
		took:     histograms("autoheal_action_duration_seconds", "Time from the intent of an action to its result.", "remedy"),
		gathering: prometheus.NewHistogram(histogram("autoheal_gathering_duration_seconds",
			"Time that one gathering of evidence took, from all sources at once.")),
		toAction: prometheus.NewHistogram(histogram("autoheal_webhook_to_action_seconds", "Time from the first webhook to the first action.")),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "autoheal_open_incidents", Help: "Incidents that still need the healer, by state.",
		}, []string{"state"}),
		standing: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "autoheal_standing_changes", Help: "Changes of open incidents that are not taken back yet, by remedy.",
		}, []string{"remedy"}),
		queueAge: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "autoheal_queue_age_seconds", Help: "Age of the oldest alert that belongs to no incident yet.",
		}),
	}
	m.fromZero(remedies)
	var errs []error
	for _, c := range []prometheus.Collector{
		m.incidents, m.actions, m.undone, m.refusals, m.verifications, m.readings, m.facts, m.stages, m.took, m.gathering, m.toAction,
		m.open, m.standing, m.queueAge,
	} {
		errs = append(errs, registerer.Register(c))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	return m, nil
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// histogram has its bounds where an incident's times lie.
func histogram(name, help string) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: name, Help: help, Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30, 60}}
}

func histograms(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(histogram(name, help), labels)
}

func (m *metrics) fromZero(remedies []string) {
	causes := []incident.Cause{incident.Inconclusive}
	for cause := range diagnose.Causes() {
		causes = append(causes, cause)
	}
	for _, cause := range causes {
		for _, outcome := range incident.Outcomes() {
			m.incidents.WithLabelValues(string(cause), string(outcome))
		}
	}
	for _, name := range remedies {
		for _, result := range []string{incident.ResultDone, incident.ResultSkipped, incident.ResultFailed} {
			m.actions.WithLabelValues(name, result)
		}
		for _, state := range []incident.ChangeState{incident.Undone, incident.Left} {
			m.undone.WithLabelValues(name, string(state))
		}
		m.took.WithLabelValues(name)
		m.standing.WithLabelValues(name)
	}
	for _, rule := range guard.Rules() {
		m.refusals.WithLabelValues(rule.Name)
	}
	for _, result := range []string{proved, stillSick, notProved, stayedGood, relapsed} {
		m.verifications.WithLabelValues(result)
	}
	for _, result := range []string{readingGood, readingBad, readingUnknown} {
		m.readings.WithLabelValues(result)
	}
	for _, source := range []string{evidence.Prometheus, evidence.Postgres, evidence.Workloads} {
		for _, status := range []incident.FactStatus{incident.Known, incident.Unknown} {
			m.facts.WithLabelValues(source, string(status))
		}
	}
	for _, state := range openStates {
		m.stages.WithLabelValues(string(state))
		m.open.WithLabelValues(string(state))
	}
}

func (m *metrics) ended(cause incident.Cause, outcome incident.Outcome) {
	m.incidents.WithLabelValues(string(cause), string(outcome)).Inc()
}

func (m *metrics) acted(ctx context.Context, s incident.Stages) {
	telemetry.ObserveWithTrace(ctx, m.toAction, s.ActionStarted.Sub(*s.WebhookReceived).Seconds())
}

func (m *metrics) finished(ctx context.Context, a incident.Action) {
	m.actions.WithLabelValues(a.Remedy, a.Result).Inc()
	if a.Result == incident.ResultSkipped { // that nothing was done took no time worth knowing
		return
	}
	telemetry.ObserveWithTrace(ctx, m.took.WithLabelValues(a.Remedy), a.FinishedAt.Sub(a.StartedAt).Seconds())
}

func (m *metrics) left(ctx context.Context, state incident.State, after time.Duration) {
	telemetry.ObserveWithTrace(ctx, m.stages.WithLabelValues(string(state)), after.Seconds())
}

func (m *metrics) gathered(ctx context.Context, facts []incident.Fact, took time.Duration) {
	telemetry.ObserveWithTrace(ctx, m.gathering, took.Seconds())
	for _, f := range facts {
		m.facts.WithLabelValues(f.Source, string(f.Status)).Inc()
	}
}

func (m *metrics) read(r incident.Reading) {
	result := readingUnknown
	switch {
	case r.Status == incident.Known && r.OK:
		result = readingGood
	case r.Status == incident.Known:
		result = readingBad
	}
	m.readings.WithLabelValues(result).Inc()
}

func (m *metrics) setOpen(incidents []incident.Incident) {
	count := map[incident.State]int{}
	for _, in := range incidents {
		count[in.State]++
	}
	for _, state := range openStates {
		m.open.WithLabelValues(string(state)).Set(float64(count[state]))
	}
	m.setStanding(incidents)
}

// setStanding counts the changes that somebody still has to take back. A remedy whose last change has gone is back at zero.
func (m *metrics) setStanding(incidents []incident.Incident) {
	count := map[string]int{}
	for _, in := range incidents {
		for _, a := range in.Actions {
			if a.Changed() {
				count[a.Remedy]++
			}
		}
	}
	for _, name := range m.remedies {
		m.standing.WithLabelValues(name).Set(float64(count[name]))
	}
}

func (m *metrics) setQueueAge(waiting []incident.Alert, now time.Time) {
	age := 0.0
	for _, a := range waiting {
		age = max(age, now.Sub(a.ReceivedAt).Seconds())
	}
	m.queueAge.Set(age)
}
