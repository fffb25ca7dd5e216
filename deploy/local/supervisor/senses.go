package supervisor

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/deploy/local/process"
)

// scope names this package in what it measures and traces.
const scope = "github.com/faultline-lab/faultline/deploy/local/supervisor"

// restarts counts the starts of a workload's replicas that were not their first, those of replicas that are gone included:
// a counter must not fall when a workload is scaled down.
type restarts struct {
	asked  atomic.Int64 // somebody asked, or the version was changed
	exited atomic.Int64 // the process had ended by itself
}

func (r *restarts) add(last, now process.Status) {
	exited := now.Relapses - last.Relapses
	r.exited.Add(int64(exited))
	r.asked.Add(int64(now.Restarts - last.Restarts - exited))
}

// measure makes the instruments. Every workload has every state and cause from the start, so that nothing begins with a
// jump.
func (s *Supervisor) measure(meter metric.Meter) error {
	replicas, err := meter.Int64ObservableGauge("supervisor.replicas",
		metric.WithUnit("{replica}"), metric.WithDescription("Replicas of a workload, by state."))
	if err != nil {
		return err
	}
	restarted, err := meter.Int64ObservableCounter("supervisor.restarts",
		metric.WithUnit("{restart}"), metric.WithDescription("Starts of replicas after their first, by cause."))
	if err != nil {
		return err
	}
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, w := range s.Workloads() {
			there := map[process.State]int64{}
			for _, r := range w.Replicas {
				there[r.State]++
			}
			for _, state := range process.States() {
				o.ObserveInt64(replicas, there[state], attributes(w.Name, "state", string(state)))
			}
			counted := &s.workloads[w.Name].restarts
			o.ObserveInt64(restarted, counted.asked.Load(), attributes(w.Name, "cause", "asked"))
			o.ObserveInt64(restarted, counted.exited.Load(), attributes(w.Name, "cause", "exited"))
		}
		return nil
	}, replicas, restarted)
	return err
}

func attributes(workload, key, value string) metric.ObserveOption {
	return metric.WithAttributes(attribute.String("workload", workload), attribute.String(key, value))
}

// traceRestart makes a span of the time in which a replica does not serve: from being asked until it is ready again. It
// belongs to the trace of whoever asked, who has had the answer long before.
func (s *Supervisor) traceRestart(ctx context.Context, workload string, replica *process.Process) {
	began := time.Now()
	ctx, span := s.tracer.Start(ctx, "replica.restart", trace.WithTimestamp(began), trace.WithAttributes(
		attribute.String("workload", workload), attribute.String("replica", replica.Name())))
	go func() {
		defer span.End()
		// It ends with the keepers: after that, nothing will become ready.
		waiting, cancel := context.WithTimeout(s.keepers, s.cfg.ReadyTimeout)
		defer cancel()
		err := replica.AwaitReady(waiting, math.MaxInt)
		took := time.Since(began)
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
			s.cfg.Log.WarnContext(ctx, "replica does not come back", "workload", workload, "replica", replica.Name(),
				"duration_ms", took.Milliseconds(), "error", err.Error())
			return
		}
		s.cfg.Log.InfoContext(ctx, "replica restarted", "workload", workload, "replica", replica.Name(),
			"duration_ms", took.Milliseconds())
	}()
}
