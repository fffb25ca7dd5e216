package remedy

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// listening notes which calls are sampled.
type listening struct {
	*supervisor
	looks, sampledLooks, sampledRestarts int
	traces                               map[trace.TraceID]bool
}

func (l *listening) Workload(ctx context.Context, name string) (workload.Workload, error) {
	l.looks++
	l.traces[trace.SpanContextFromContext(ctx).TraceID()] = true
	if trace.SpanContextFromContext(ctx).IsSampled() {
		l.sampledLooks++
	}
	return l.supervisor.Workload(ctx, name)
}

func (l *listening) Restart(ctx context.Context, name, id, startID string) error {
	if trace.SpanContextFromContext(ctx).IsSampled() {
		l.sampledRestarts++
	}
	return l.supervisor.Restart(ctx, name, id, startID)
}

func TestWaitingForARestartDoesNotFillTheTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard := &listening{
			supervisor: &supervisor{replica: workload.Replica{ID: "orders-1", StartID: "a", State: workload.Ready}, readyIn: 3 * time.Second},
			traces:     map[trace.TraceID]bool{},
		}
		r, err := NewRestartReplicas(heard)
		if err != nil {
			t.Fatal(err)
		}
		ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled,
		}))
		effect := r.Apply(ctx, Application{
			Target: incident.Target{Kind: incident.ReplicaTarget, Workload: "orders", Name: "orders-1", Is: "a"}, IntendedAt: time.Now(), Timeout: 10 * time.Second,
		})
		if effect.Result != incident.ResultDone || heard.looks < 20 {
			t.Fatalf("%+v after %d looks", effect, heard.looks)
		}
		if heard.sampledLooks != 1 || heard.sampledRestarts != 1 || len(heard.traces) != 1 {
			t.Errorf("%d looks and %d restarts are in the trace, of %d traces; want the look before the restart, and the restart",
				heard.sampledLooks, heard.sampledRestarts, len(heard.traces))
		}
	})
}
