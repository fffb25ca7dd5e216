package notify

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// Notices are kept durably, with who has been told of them.
type Notices interface {
	Untold(ctx context.Context, receiver string, want store.Wanted, limit int) ([]incident.Notice, error)
	Told(ctx context.Context, seq int64, receiver, result string, at time.Time) error
}

// Incidents tells when an incident began, for notices about its end.
type Incidents interface {
	Get(ctx context.Context, id string) (incident.Incident, error)
}

// Config holds what a notifier needs; all fields without a default are required.
type Config struct {
	Notices   Notices
	Incidents Incidents
	// Receivers are those of a file (Load); none is fine: then nobody is told.
	Receivers  []Receiver
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// Transport carries the requests; http.DefaultTransport by default.
	Transport http.RoundTripper
	// Poll is the pause between two looks for new notices; 1 s by default.
	Poll time.Duration
	// Patience is how old a notice may become while a receiver does not take it; 1 h by default. Each is tried once at least.
	Patience time.Duration
	// Memory is how far back a notifier that was away looks; 24 h by default. A new receiver is not told of what was before.
	Memory time.Duration
	// Chance is a random number in [0, 1), which keeps many healers from trying again at once; rand.Float64 by default.
	Chance func() float64
	Now    func() time.Time
}

func (c *Config) defaults() error {
	switch {
	case c.Notices == nil || c.Incidents == nil:
		return errors.New("notify: no store was given")
	case c.Logger == nil:
		return errors.New("notify: no logger was given")
	case c.Registerer == nil:
		return errors.New("notify: no metrics registerer was given")
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	if c.Chance == nil {
		c.Chance = rand.Float64
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.Poll, time.Second}, {&c.Patience, time.Hour}, {&c.Memory, 24 * time.Hour}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return nil
}

// Notifier sends notices, each receiver by a courier of its own: a dead one holds up nobody else.
type Notifier struct{ couriers []*courier }

// New makes a notifier.
func New(cfg Config) (*Notifier, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	m, err := newMetrics(cfg.Registerer, cfg.Receivers)
	if err != nil {
		return nil, err
	}
	n := &Notifier{}
	for _, r := range cfg.Receivers {
		n.couriers = append(n.couriers, &courier{
			cfg: cfg, receiver: r, metrics: m,
			client: &http.Client{
				Transport: cfg.Transport, Timeout: r.timeout,
				// Headers may hold secrets: they go to whom the file names and to nobody else.
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			},
		})
	}
	return n, nil
}

// Run works until the context ends. What is not sent by then is sent by the next run.
func (n *Notifier) Run(ctx context.Context) error {
	var couriers sync.WaitGroup
	for _, c := range n.couriers {
		couriers.Go(func() { c.run(ctx) })
	}
	<-ctx.Done()
	couriers.Wait()
	return nil
}
