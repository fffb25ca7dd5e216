package orders

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// Backlog is what waits in a queue of the database, claimed or not.
type Backlog struct {
	Pending   int64
	OldestAge time.Duration // 0 when nothing waits
}

// backlogGauges show what waits, as the last look found it.
type backlogGauges struct {
	mu      sync.Mutex
	pending int64
	oldest  time.Time // when the oldest was written; zero when there is none
}

type backlogNames struct {
	pending, unit, pendingHelp string
	age, ageHelp               string
}

func newBacklogGauges(meter metric.Meter, names backlogNames) (*backlogGauges, error) {
	g := &backlogGauges{}
	_, err := meter.Int64ObservableGauge(names.pending, metric.WithUnit(names.unit), metric.WithDescription(names.pendingHelp),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			g.mu.Lock()
			defer g.mu.Unlock()
			o.Observe(g.pending)
			return nil
		}))
	if err != nil {
		return nil, err
	}
	_, err = meter.Float64ObservableGauge(names.age, metric.WithUnit("s"), metric.WithDescription(names.ageHelp),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(g.oldestAge().Seconds())
			return nil
		}))
	return g, err
}

// saw keeps what the last look found.
func (g *backlogGauges) saw(backlog Backlog) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pending, g.oldest = backlog.Pending, time.Time{}
	if backlog.Pending > 0 {
		g.oldest = time.Now().Add(-backlog.OldestAge)
	}
}

// oldestAge goes on growing while the database cannot be looked at: that is when somebody wants to see it grow.
func (g *backlogGauges) oldestAge() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.oldest.IsZero() {
		return 0
	}
	return time.Since(g.oldest)
}
