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
	"github.com/faultline-lab/faultline/apps/storefront/mode"
)

// Group is one of the two sets of replicas between which requests are shared out by weight.
type Group string

// The groups. Without any wish, every request goes to stable.
const (
	Stable  Group = "stable"
	Standby Group = "standby"
)

func groups() []Group { return []Group{Stable, Standby} }

// Backend is one replica of orders.
type Backend struct {
	URL string
	// Instance and Version are the replica's labels from discovery; empty for a fixed list.
	Instance, Version string
	// Group is empty for stable.
	Group Group
}

// BalancerConfig is what a Balancer needs; Log and MeterProvider are required.
type BalancerConfig struct {
	Log           *slog.Logger
	MeterProvider metric.MeterProvider
	// Weights are the shares of the groups at this moment; stable gets all by default.
	Weights func() mode.Weights
	// Park is how long a replica that could not be reached is asked only after all others; 500 ms by default.
	Park time.Duration
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

func (c *BalancerConfig) defaults() error {
	if c.Log == nil || c.MeterProvider == nil {
		return errors.New("storefront: a balancer needs Log and MeterProvider")
	}
	if c.Weights == nil {
		c.Weights = mode.Usual
	}
	if c.Park == 0 {
		c.Park = 500 * time.Millisecond
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Balancer picks a group by weight, and replicas of it in rounds. A replica that refuses connections is parked for a
// moment.
type Balancer struct {
	cfg     BalancerConfig
	metrics balancerMetrics

	mu     sync.Mutex
	rings  map[Group]*ring
	parked map[string]time.Time // by URL, until when
}

// NewBalancer makes a Balancer without backends.
func NewBalancer(cfg BalancerConfig) (*Balancer, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	metrics, err := newBalancerMetrics(cfg.MeterProvider)
	if err != nil {
		return nil, err
	}
	b := &Balancer{cfg: cfg, metrics: metrics, rings: map[Group]*ring{}, parked: map[string]time.Time{}}
	for _, group := range groups() {
		b.rings[group] = &ring{}
	}
	return b, nil
}

// Set replaces the backends of both groups.
func (b *Balancer) Set(ctx context.Context, backends []Backend) {
	for _, group := range groups() {
		b.SetGroup(ctx, group, slices.DeleteFunc(slices.Clone(backends), func(backend Backend) bool {
			return (backend.Group == Standby) != (group == Standby)
		}))
	}
}

// SetGroup replaces the backends of one group.
func (b *Balancer) SetGroup(ctx context.Context, group Group, backends []Backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ring := b.rings[group]
	if slices.Equal(ring.backends, backends) {
		return
	}
	b.cfg.Log.InfoContext(ctx, "backends of orders changed", "group", group, "backends", len(backends), "before", len(ring.backends))
	*ring = newRing(backends)
	b.metrics.backends.Record(ctx, int64(len(backends)), b.metrics.of(group))
	// A replica that comes back under an address that was parked is asked at once.
	b.parked = map[string]time.Time{}
}

// Backends is how many replicas the group has.
func (b *Balancer) Backends(group Group) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.rings[group].backends)
}

// order gives the backends in the order in which one request should try them: those of its group in turn, the parked ones
// last.
func (b *Balancer) order() []Backend {
	weights := b.cfg.Weights()
	b.mu.Lock()
	defer b.mu.Unlock()
	chosen := b.rings[b.pick(weights)].next()
	now := b.cfg.Now()
	var ready, parked []Backend
	for _, backend := range chosen {
		if now.Before(b.parked[backend.URL]) {
			parked = append(parked, backend)
		} else {
			ready = append(ready, backend)
		}
	}
	return append(ready, parked...)
}

// pick draws the group of one request. A group without replicas leaves its share to the other one: a wish that nobody can
// fulfil is no reason to turn customers away. One that has replicas which refuse does not: traffic may have been taken
// from the other group for its own good.
func (b *Balancer) pick(weights mode.Weights) Group {
	group, other := Stable, Standby
	if rand.IntN(100) < weights.Standby {
		group, other = Standby, Stable
	}
	if len(b.rings[group].backends) == 0 {
		return other
	}
	return group
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
