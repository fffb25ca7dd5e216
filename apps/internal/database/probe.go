package database

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
)

// Times of the probe.
const (
	probeTick    = 250 * time.Millisecond
	probeTimeout = time.Second
)

// ProbeConfig is what a Probe needs beside the flags; Tick and Timeout have defaults, everything else is required.
type ProbeConfig struct {
	Flags
	// Workload and Instance make its application_name: workload-probe/instance, which is no session of the pool's.
	Workload, Instance string
	Registerer         prometheus.Registerer
	Log                *slog.Logger
	// Tick is the pause between two round trips, 250 ms by default; Timeout the longest that one is waited for, 1 s by default.
	Tick, Timeout time.Duration
}

// Probe measures how long the way to the database and back takes. It has a connection of its own, so that it can tell a slow
// network also while the pool has nothing left; its URL is the pool's, so that it goes the pool's way.
type Probe struct {
	ProbeConfig
	connection *pgx.ConnConfig
	times      prometheus.Observer
	conn       *pgx.Conn // nil while there is none
	silent     bool      // it cannot measure, and the log has it
}

// NewProbe makes a Probe and its histogram, which has no sample yet but is there; Run works it.
func NewProbe(cfg ProbeConfig) (*Probe, error) {
	if cfg.Tick == 0 {
		cfg.Tick = probeTick
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = probeTimeout
	}
	parsed, err := Config{Flags: cfg.Flags, Workload: cfg.Workload + "-probe", Instance: cfg.Instance}.pool()
	if err != nil {
		return nil, err
	}
	times := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "db_client_round_trip_duration_seconds",
		Help:    "Time to the database server and back, with nothing to do there. One that was not answered counts with its timeout.",
		Buckets: []float64{.0005, .001, .002, .003, .005, .01, .02, .03, .05, .075, .1, .15, .2, .3, .5, .75},
	}, []string{"db_client_connection_pool_name"})
	if err := cfg.Registerer.Register(times); err != nil {
		return nil, fmt.Errorf("histogram of round trips: %w", err)
	}
	return &Probe{ProbeConfig: cfg, connection: parsed.ConnConfig, times: times.WithLabelValues(cfg.Workload)}, nil
}

// Run measures until ctx ends. It always returns nil then.
func (p *Probe) Run(ctx context.Context) error {
	ticker := time.NewTicker(p.Tick)
	defer ticker.Stop()
	defer p.hangUp(ctx)
	for {
		p.turn(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (p *Probe) turn(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	err := p.measure(bounded)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		p.silent = false
	case !p.silent:
		// One line an outage is enough.
		p.Log.WarnContext(ctx, "round trip to the database not measured; trying again each tick", "error", err)
		p.silent = true
	}
}

// measure takes one time. Connecting is none: it takes several round trips, and a process is started at the other end.
func (p *Probe) measure(ctx context.Context) error {
	if p.conn == nil {
		conn, err := pgx.ConnectConfig(ctx, p.connection)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		p.conn = conn
	}
	begun := time.Now()
	err := p.conn.Ping(ctx)
	if err == nil || ctx.Err() == context.DeadlineExceeded {
		p.times.Observe(time.Since(begun).Seconds())
	}
	if err != nil {
		p.hangUp(ctx)
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

// hangUp gives up the connection, in order when it still works.
func (p *Probe) hangUp(ctx context.Context) {
	if p.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeBound)
	defer cancel()
	// Nothing is left to do about a connection that cannot even be closed.
	_ = p.conn.Close(ctx)
	p.conn = nil
}
