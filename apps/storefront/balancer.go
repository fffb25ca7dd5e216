package storefront

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
)

// Backend is one replica of orders.
type Backend struct {
	URL string
	// Instance and Version are the replica's labels from discovery; empty for a fixed list.
	Instance, Version string
}

// BalancerConfig is what a Balancer needs; Log and MeterProvider are required.
type BalancerConfig struct {
	Log           *slog.Logger
	MeterProvider metric.MeterProvider
	// Park is how long a replica that could not be reached is asked only after all others; 500 ms by default.
	Park time.Duration
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Balancer picks replicas of orders in rounds: each round asks every replica once, in a new random sequence, or else
// two streams of requests at one rate would each stick to a replica. A replica that refuses connections is parked for a
// moment.
type Balancer struct {
	cfg     BalancerConfig
	metrics balancerMetrics

	mu       sync.Mutex
	backends []Backend
	round    []int                // replicas, by index, that this round has still to ask
	parked   map[string]time.Time // by URL, until when
}

// NewBalancer makes a Balancer without backends.
func NewBalancer(cfg BalancerConfig) (*Balancer, error) {
	if cfg.Log == nil || cfg.MeterProvider == nil {
		return nil, errors.New("storefront: a balancer needs Log and MeterProvider")
	}
	metrics, err := newBalancerMetrics(cfg.MeterProvider)
	if err != nil {
		return nil, err
	}
	if cfg.Park == 0 {
		cfg.Park = 500 * time.Millisecond
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Balancer{cfg: cfg, metrics: metrics, parked: map[string]time.Time{}}, nil
}

// Set replaces the backends.
func (b *Balancer) Set(ctx context.Context, backends []Backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.Equal(b.backends, backends) {
		return
	}
	b.cfg.Log.InfoContext(ctx, "backends of orders changed", "backends", len(backends), "before", len(b.backends))
	b.backends = slices.Clone(backends)
	b.metrics.backends.Record(ctx, int64(len(backends)))
	b.round = nil
	// A replica that comes back under an address that was parked is asked at once.
	b.parked = map[string]time.Time{}
}

// order gives all backends in the order in which one request should try them: in turn, the parked ones last.
func (b *Balancer) order() []Backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.backends) == 0 {
		return nil
	}
	if len(b.round) == 0 {
		b.round = rand.Perm(len(b.backends))
	}
	first := b.round[0]
	b.round = b.round[1:]
	now := b.cfg.Now()
	var ready, parked []Backend
	for i := range b.backends {
		backend := b.backends[(first+i)%len(b.backends)]
		if now.Before(b.parked[backend.URL]) {
			parked = append(parked, backend)
		} else {
			ready = append(ready, backend)
		}
	}
	return append(ready, parked...)
}

func (b *Balancer) park(backend Backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.parked[backend.URL] = b.cfg.Now().Add(b.cfg.Park)
}

// Do calls one backend after the other until one has been sent the request. Only a connection that could not be made
// moves on: after that the request may have had its effect.
func (b *Balancer) Do(ctx context.Context, call func(context.Context, Backend) error) error {
	last := error(apierror.New(apierror.Unavailable, "no replica of orders is ready; try again in a moment"))
	for i, backend := range b.order() {
		if i > 0 {
			b.metrics.failovers.Add(ctx, 1)
		}
		err := call(ctx, backend)
		if !jsonhttp.NeverSent(err) || ctx.Err() != nil {
			return err
		}
		b.park(backend)
		b.cfg.Log.WarnContext(ctx, "replica of orders not reached; trying the next", "backend", backend.URL, "error", err)
		last = err
	}
	return last
}
