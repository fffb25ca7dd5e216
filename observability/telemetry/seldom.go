package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// seldom asks a collector at most so often, and repeats its last answer to those who scrape in between. The collector's
// metrics must be values, not live counters. What the process says about itself is read from a dozen files of the
// system, which at one scrape a second was a quarter of the cost of scraping.
type seldom struct {
	prometheus.Collector
	every time.Duration

	mu   sync.Mutex
	at   time.Time
	last []prometheus.Metric
}

// Collect repeats the last answer, or asks anew.
func (s *seldom) Collect(metrics chan<- prometheus.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at.IsZero() || time.Since(s.at) >= s.every {
		s.last, s.at = s.ask(), time.Now()
	}
	for _, metric := range s.last {
		metrics <- metric
	}
}

func (s *seldom) ask() []prometheus.Metric {
	answers := make(chan prometheus.Metric)
	go func() {
		defer close(answers)
		s.Collector.Collect(answers)
	}()
	var metrics []prometheus.Metric
	for metric := range answers {
		metrics = append(metrics, metric)
	}
	return metrics
}
