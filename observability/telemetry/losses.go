package telemetry

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// mentionEvery is how often a backend that stays dead is mentioned in the written lines.
const mentionEvery = time.Minute

// signals are what is exported; metrics are scraped, and cannot be lost here.
var signals = []string{"traces", "logs"}

// losses counts what could not be exported and mentions it now and then. No error reaches the SDK, which would hand it
// to a global handler, which writes a line for each.
type losses struct {
	lost   *prometheus.CounterVec
	queued *prometheus.Desc
	lines  *slog.Logger // the written lines only: a dead Loki cannot be told about itself

	mu        sync.Mutex
	mentioned map[string]time.Time
	holds     map[string]func() int
}

func newLosses(registerer prometheus.Registerer, lines *slog.Logger) (*losses, error) {
	l := &losses{
		lost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "telemetry_lost_records_total",
			Help: "Spans and log records that were given up because their backend did not take them.",
		}, []string{"signal"}),
		queued: prometheus.NewDesc("telemetry_queued_records",
			"Spans and log records that wait for their backend or are being sent to it.", []string{"signal"}, nil),
		lines:     lines,
		mentioned: map[string]time.Time{},
		holds:     map[string]func() int{},
	}
	for _, signal := range signals {
		l.lost.WithLabelValues(signal)
	}
	return l, registerer.Register(l)
}

// watch takes the length of a signal's queue from now on. A signal without a queue has none of its records waiting.
func (l *losses) watch(signal string, holds func() int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holds[signal] = holds
}

// Describe and Collect make the losses and the queues metrics.
func (l *losses) Describe(descs chan<- *prometheus.Desc) {
	l.lost.Describe(descs)
	descs <- l.queued
}

// Collect reads the queues at the moment of the scrape.
func (l *losses) Collect(metrics chan<- prometheus.Metric) {
	l.lost.Collect(metrics)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, signal := range signals {
		waiting := 0
		if holds := l.holds[signal]; holds != nil {
			waiting = holds()
		}
		metrics <- prometheus.MustNewConstMetric(l.queued, prometheus.GaugeValue, float64(waiting), signal)
	}
}

func (l *losses) count(signal string, records int, err error) {
	if err == nil || records == 0 {
		return
	}
	if partly, ok := errors.AsType[partlyRefused](err); ok {
		records = min(records, partly.records)
	}
	l.lost.WithLabelValues(signal).Add(float64(records))

	l.mu.Lock()
	due := time.Since(l.mentioned[signal]) >= mentionEvery
	if due {
		l.mentioned[signal] = time.Now()
	}
	l.mu.Unlock()
	if due {
		l.lines.Warn("telemetry is not taken by its backend; the program goes on without it",
			"signal", signal, "lost", records, "error", err.Error())
	}
}
