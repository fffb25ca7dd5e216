package notify

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/faultline-lab/faultline/autoheal/store"
)

// failed is the result of a try that will be repeated or was the last.
const failed = "failed"

type metrics struct {
	results *prometheus.CounterVec
	age     *prometheus.GaugeVec
}

func newMetrics(registerer prometheus.Registerer, receivers []Receiver) (*metrics, error) {
	m := &metrics{
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "autoheal_notifications_total",
			Help: "Notices by receiver and result: sent, given-up, and failed for each try that was not taken.",
		}, []string{"receiver", "result"}),
		age: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "autoheal_notification_queue_age_seconds",
			Help: "Age of the oldest notice that a receiver has not got yet; 0 when it has all.",
		}, []string{"receiver"}),
	}
	for _, r := range receivers {
		for _, result := range []string{store.Sent, store.GivenUp, failed} {
			m.results.WithLabelValues(r.Name, result)
		}
		m.setAge(r.Name, 0)
	}
	if err := errors.Join(registerer.Register(m.results), registerer.Register(m.age)); err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	return m, nil
}

func (m *metrics) count(receiver, result string) { m.results.WithLabelValues(receiver, result).Inc() }

func (m *metrics) setAge(receiver string, age time.Duration) {
	m.age.WithLabelValues(receiver).Set(max(0, age.Seconds()))
}
