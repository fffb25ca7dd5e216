// Package service is the lifecycle of one HTTP service: telemetry, dependencies, listening, health, and an end that is
// in order and bounded.
//
// A service binds its port only when its dependencies are ready, so a replica that starts refuses connections and a
// caller moves on to the next one. The end runs the other way round: the port closes, requests finish, background jobs
// stop, dependencies close, and telemetry goes last, so that the last requests are seen.
package service

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/oklog/run"
	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

// closing is the share of the drain timeout that is kept for closing dependencies and flushing telemetry; requests get
// the rest.
const closing = 200 * time.Millisecond

// minDrain leaves requests as long as closing takes.
const minDrain = 2 * closing

// Build makes the service's routes and registers what belongs to them with the Service. It is given the context of the
// start, which ends when the process is told to stop.
type Build func(context.Context, *Service) (http.Handler, error)

// Service is one running service, as its Build sees it.
type Service struct {
	// Telemetry is started before Build and flushed last.
	Telemetry *telemetry.Telemetry
	// Log is Telemetry's logger.
	Log *slog.Logger

	flags   Flags
	jobs    []job
	closers []closer
	drains  []func()
	stream  func(*http.Request) bool
}

type job struct {
	name string
	run  func(context.Context) error
}

type closer struct {
	name  string
	close func(context.Context) error
}

// Background registers a job that runs beside the server until its context ends. A job that returns before, with an
// error or without, ends the service. A job that looks for work again and again looks under Untraced.
func (s *Service) Background(name string, work func(context.Context) error) {
	s.jobs = append(s.jobs, job{name, work})
}

// Streams says which requests are streams. They have no span and are not measured: how long somebody listened would
// stand among the durations of requests, where it looks like a disaster.
func (s *Service) Streams(stream func(*http.Request) bool) { s.stream = stream }

// OnDrain registers what must happen as soon as the service is told to stop, before requests are waited for. It must
// not block.
func (s *Service) OnDrain(drain func()) { s.drains = append(s.drains, drain) }

// OnClose registers how a dependency is closed, after requests and jobs; the last one registered goes first. The
// context's end is final: what is not closed by then is left to the end of the process.
func (s *Service) OnClose(name string, end func(context.Context) error) {
	s.closers = append(s.closers, closer{name, end})
}

// Run starts telemetry, builds the service and serves until ctx ends, then ends in order. It returns nil after an
// orderly end that was asked for, also when parts of it had to be cut short (the log says which).
func Run(ctx context.Context, name string, flags Flags, stdout io.Writer, build Build) error {
	if err := flags.Validate(); err != nil {
		return err
	}
	tel, err := telemetry.Start(ctx, flags.telemetry(name, stdout))
	if err != nil {
		return err
	}
	s := &Service{Telemetry: tel, Log: tel.Logger(), flags: flags}
	started := time.Now()
	err = s.serve(ctx, build, started)
	if err != nil {
		s.Log.ErrorContext(ctx, "ended by an error", "error", err)
	}
	s.close(err)
	return err
}

func (s *Service) serve(ctx context.Context, build Build, started time.Time) error {
	api, err := build(ctx, s)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	server, err := newServer(s, api)
	if err != nil {
		return err
	}

	// The group interrupts in the order of registration: the server drains before the jobs stop.
	var group run.Group
	group.Add(server.serve, func(error) { s.drain(server) })
	for _, job := range s.jobs {
		jobCtx, cancel := context.WithCancel(context.Background())
		group.Add(func() error { return ended(jobCtx, job.name, job.run(jobCtx)) }, func(error) { cancel() })
	}
	asked, stop := context.WithCancel(ctx)
	group.Add(func() error { <-asked.Done(); return errAsked }, func(error) { stop() })

	s.Log.InfoContext(ctx, "ready", "address", server.address().String(), "duration_ms", time.Since(started).Milliseconds())
	if s.flags.OnListen != nil {
		s.flags.OnListen(server.address())
	}
	if err := group.Run(); !errors.Is(err, errAsked) {
		return err
	}
	return nil
}

// Untraced is for what happens every moment and mostly finds nothing: polls and ticks, whose spans would fill the trace
// store and push the orders out. It is measured all the same. The context gets a parent that was not sampled, which the
// other side of a call respects too. Log with the context that you had before, or the line points to a trace that nobody
// kept.
func Untraced(ctx context.Context) context.Context {
	var of trace.SpanContextConfig
	binary.NativeEndian.PutUint64(of.TraceID[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(of.TraceID[8:], rand.Uint64())
	binary.NativeEndian.PutUint64(of.SpanID[:], rand.Uint64())
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(of))
}

var errAsked = errors.New("asked to stop")

func ended(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = errors.New("returned too early")
	}
	return fmt.Errorf("%s: %w", name, err)
}

func (s *Service) drain(server *server) {
	begun := time.Now()
	s.Log.Info("draining")
	for _, drain := range s.drains {
		drain()
	}
	err := server.shutdown(s.flags.DrainTimeout - closing)
	if err != nil {
		s.Log.Warn("requests were cut off", "error", err)
	}
	s.Log.Info("drained", "duration_ms", time.Since(begun).Milliseconds())
}

// close closes the dependencies and then telemetry, all within the time that is kept for it.
func (s *Service) close(cause error) {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	for i := len(s.closers) - 1; i >= 0; i-- {
		c := s.closers[i]
		if err := c.close(ctx); err != nil {
			s.Log.Warn("left to the end of the process", "dependency", c.name, "error", err)
		}
	}
	s.Log.Info("ended", "in_order", cause == nil)
	// Its failure has no place left to be told but the exporters' own line log.
	_ = s.Telemetry.Shutdown(ctx)
}
