package journal

import (
	"context"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

// Names of the spans. The steps hang from the experiment's own span, which lasts from Begin to Close.
const (
	Experiment  = "chaos.experiment"
	SteadyState = "chaos.steady_state"
	Inject      = "chaos.inject"
	Watch       = "chaos.watch"
	Judge       = "chaos.judge"
	Stop        = "chaos.stop"
)

// Several experiments may be active, and their keepers; the id of the experiment tells them apart, and one name is bounded.
const (
	service  = "chaos"
	instance = "chaos-1"
	version  = "dev"
)

// About says which experiment it is.
type About struct{ Experiment, Fault, Target string }

// Journal is that of one experiment. Its methods are called one after the other; Close it, or what it holds back is lost.
type Journal struct {
	senses *telemetry.Telemetry
	tracer trace.Tracer
	about  About
	log    *slog.Logger
	root   trace.Span        // nil before Begin, and where the experiment was taken up from another process
	parent trace.SpanContext // of the steps
}

// Open makes the journal of an experiment against a stack. It calls nobody.
func Open(ctx context.Context, stack endpoints.Stack, about About) (*Journal, error) {
	cfg := telemetry.Config{Service: service, Instance: instance, Version: version, TracesURL: stack.Endpoints.OTLP}
	if stack.Endpoints.Loki != "" {
		cfg.LogsURL = stack.Endpoints.Loki + "/otlp/v1/logs"
	}
	senses, err := telemetry.Start(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &Journal{
		senses: senses, tracer: senses.TracerProvider().Tracer("chaos"), about: about,
		log: senses.Logger().With("experiment", about.Experiment, "fault", about.Fault, "target", about.Target),
	}, nil
}

// Begin starts the experiment's trace, unless it has begun.
func (j *Journal) Begin(ctx context.Context) {
	if j.parent.IsValid() {
		return
	}
	_, j.root = j.tracer.Start(ctx, Experiment, trace.WithNewRoot(), trace.WithAttributes(
		attribute.String("chaos.experiment.name", j.about.Experiment),
		attribute.String("chaos.fault.kind", j.about.Fault),
		attribute.String("chaos.target", j.about.Target)))
	j.parent = j.root.SpanContext()
	j.Note(ctx, Started, "")
}

// Identify gives the experiment the id under which it is on record.
func (j *Journal) Identify(id string) {
	j.log = j.log.With("experiment_id", id)
	if j.root != nil {
		j.root.SetAttributes(attribute.String("chaos.experiment.id", id))
	}
}

// End says on the experiment's own span how it ended.
func (j *Journal) End(how string) {
	if j.root != nil {
		j.root.SetAttributes(attribute.String("chaos.end", how))
	}
}

// TraceParent is the experiment's trace as W3C writes it, for another process that takes the experiment up.
func (j *Journal) TraceParent() string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(context.Background(), j.parent), carrier)
	return carrier["traceparent"]
}

// Resume takes up the trace of an experiment that another process began. What is no traceparent is ignored: then Begin
// starts a trace of its own.
func (j *Journal) Resume(ctx context.Context, traceparent string) {
	carrier := propagation.MapCarrier{"traceparent": traceparent}
	j.parent = trace.SpanContextFromContext(propagation.TraceContext{}.Extract(ctx, carrier))
}

// Step begins a step. The context that it gives leads to the step's span, in whatever is called with it; the function ends
// the step, with an error if it failed.
func (j *Journal) Step(ctx context.Context, name string) (context.Context, func(error, ...attribute.KeyValue)) {
	ctx, span := j.tracer.Start(trace.ContextWithSpanContext(ctx, j.parent), name)
	return ctx, func(err error, attributes ...attribute.KeyValue) {
		span.SetAttributes(attributes...)
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}

// Note logs that a phase is reached. The detail is for people. Outside of a step the record belongs to the experiment.
func (j *Journal) Note(ctx context.Context, phase Phase, detail string) {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, j.parent)
	}
	told := sentences[phase]
	//nolint:sloglint // every message is a constant of the table
	j.log.LogAttrs(ctx, told.level, told.message, slog.String("phase", string(phase)), slog.String("detail", detail))
}

// Transport makes a span of each call and carries the trace to whoever is called.
func (j *Journal) Transport(base http.RoundTripper) http.RoundTripper {
	return j.senses.Transport(base)
}

// Close ends the trace and sends what is left, within two seconds. What nobody takes by then is lost, and that is no error:
// the experiment does not depend on it. Close may be repeated.
func (j *Journal) Close(ctx context.Context) {
	if j.root != nil {
		j.root.End()
	}
	_ = j.senses.Shutdown(context.WithoutCancel(ctx))
}
