package engine_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// hurt is a request whose trace is known.
var hurt = evidence.Request{Replica: "orders-1", Span: trace.NewSpanContext(trace.SpanContextConfig{
	TraceID: trace.TraceID{7}, SpanID: trace.SpanID{7}, TraceFlags: trace.FlagsSampled, Remote: true,
})}

// hurting are senses that know of a request that was hurt.
type hurting struct{ engine.Senses }

func (h hurting) Gather(ctx context.Context, scope evidence.Scope) evidence.Gathering {
	seen := h.Senses.Gather(ctx, scope)
	seen.Offenders = []evidence.Request{hurt}
	return seen
}

// heal plays one heal of a leak with a tracer, and returns the incident, its spans and its metrics.
func heal(t *testing.T, sampler sdktrace.Sampler, log *bytes.Buffer) (in incident.Incident, spans tracetest.SpanStubs, metrics []*dto.MetricFamily) {
	t.Helper()
	kept, registry := tracetest.NewInMemoryExporter(), prometheus.NewRegistry()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept), sdktrace.WithSampler(sdktrace.ParentBased(sampler)))
	setup := func(c *clinic) {
		c.adjust = func(cfg *engine.Config) {
			cfg.Tracer, cfg.Registerer, cfg.Senses = provider.Tracer("test"), registry, hurting{cfg.Senses}
			cfg.Logger = slog.New(traced{slog.NewTextHandler(log, nil)})
		}
	}
	scenario(t, setup, func(t *testing.T, c *clinic) {
		c.world.leak("orders-1")
		nextSample(c)
		c.alert("ConnectionPoolExhausted", "orders")
		in = only(t, c.settle())
		c.stop() // the last span ends after the last record is written
		var err error
		if metrics, err = registry.Gather(); err != nil {
			t.Error(err)
		}
	})
	return in, kept.GetSpans(), metrics
}

// traced puts the trace into each line.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	r.AddAttrs(slog.String("trace", trace.SpanContextFromContext(ctx).TraceID().String()))
	return h.Handler.Handle(ctx, r)
}

func TestAnIncidentIsOneTraceWithASpanForEachStage(t *testing.T) {
	var log bytes.Buffer
	in, spans, _ := heal(t, sdktrace.AlwaysSample(), &log)
	if in.Outcome != incident.Recovered {
		t.Fatalf("the heal did not go well: %s", in.Reason)
	}
	byName := map[string]tracetest.SpanStub{}
	for _, s := range spans {
		byName[s.Name] = s
		if s.SpanContext.TraceID().String() != in.TraceID {
			t.Errorf("%s is in trace %s, the incident in %s", s.Name, s.SpanContext.TraceID(), in.TraceID)
		}
	}
	root := byName["autoheal.incident"].SpanContext.SpanID()
	for _, stage := range []string{"received", "diagnosed", "decided", "verifying", "stabilising"} {
		s, there := byName["autoheal."+stage]
		if !there || s.Parent.SpanID() != root || attributeOf(s, "incident.id") != in.ID || attributeOf(s, "incident.next") == stage {
			t.Errorf("the span of stage %s: %+v", stage, s)
		}
	}
	action := byName["autoheal.action"]
	if attributeOf(action, "autoheal.target") != "orders-1" || attributeOf(action, "autoheal.result") != incident.ResultDone {
		t.Errorf("the action's span: %+v", action)
	}
	if links := byName["autoheal.received"].Links; len(links) != 1 || links[0].SpanContext.TraceID() != hurt.Span.TraceID() {
		t.Errorf("the look is linked to %+v, want the request that was hurt", links)
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, in.ID) && !strings.Contains(line, "trace="+in.TraceID) {
			t.Errorf("a line does not lead to the incident's trace: %s", line)
		}
	}
	if !strings.Contains(log.String(), "incident opened") {
		t.Error("nothing was logged")
	}
}

func TestATraceThatIsNotSampledStaysSo(t *testing.T) {
	in, spans, metrics := heal(t, sdktrace.NeverSample(), &bytes.Buffer{})
	if in.Outcome != incident.Recovered || in.TraceID == "" || len(spans) != 0 {
		t.Errorf("outcome %s, trace %q, spans %v; want a heal with a trace that nobody kept", in.Outcome, in.TraceID, spans)
	}
	for name, of := range exemplars(metrics) {
		t.Errorf("%s has the exemplar %s of a trace that nobody kept", name, of)
	}
}

func TestTheMetricsOfAHealLeadToItsTrace(t *testing.T) {
	in, _, metrics := heal(t, sdktrace.AlwaysSample(), &bytes.Buffer{})
	found := exemplars(metrics)
	for _, name := range []string{
		"autoheal_stage_duration_seconds", "autoheal_webhook_to_action_seconds", "autoheal_action_duration_seconds",
		"autoheal_gathering_duration_seconds",
	} {
		if found[name] != in.TraceID {
			t.Errorf("%s has the exemplar %q; want trace %s", name, found[name], in.TraceID)
		}
	}
	for want, n := range map[string]float64{
		"autoheal_verifications_total proved": 1, "autoheal_verifications_total held": 1, "autoheal_verifications_total relapsed": 0,
		"autoheal_actions_total restart-replicas done": 1, "autoheal_actions_total restart-replicas failed": 0,
		"autoheal_open_incidents received": 0, "autoheal_facts_total postgres unknown": 0,
		"autoheal_incidents_total connection-leak recovered": 1,
	} {
		if got, there := value(metrics, want); !there || got != n {
			t.Errorf("%s is %v (there: %v), want %v", want, got, there, n)
		}
	}
	if good, _ := value(metrics, "autoheal_edge_readings_total good"); good < 10 {
		t.Errorf("%v good readings of the edge; a proof and a hold need more", good)
	}
}

func attributeOf(s tracetest.SpanStub, key string) string {
	for _, a := range s.Attributes {
		if string(a.Key) == key {
			return a.Value.AsString()
		}
	}
	return ""
}

// exemplars gives a trace for each histogram that has one.
func exemplars(metrics []*dto.MetricFamily) map[string]string {
	found := map[string]string{}
	for _, family := range metrics {
		for _, m := range family.GetMetric() {
			for _, bucket := range m.GetHistogram().GetBucket() {
				for _, label := range bucket.GetExemplar().GetLabel() {
					if label.GetName() == "trace_id" {
						found[family.GetName()] = label.GetValue()
					}
				}
			}
		}
	}
	return found
}

// value finds a counter or gauge by its name and the values of its labels, in the order of the labels' names.
func value(metrics []*dto.MetricFamily, want string) (float64, bool) {
	for _, family := range metrics {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			if name == want {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue(), true
			}
		}
	}
	return 0, false
}
