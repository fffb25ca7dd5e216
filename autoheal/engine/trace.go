package engine

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// withTrace puts the incident's own trace into the context: every stage hangs from the span that opened it, in this
// life of the healer and the next.
func (w *work) withTrace(ctx context.Context) context.Context {
	traceID, err := trace.TraceIDFromHex(w.in.TraceID)
	if err != nil {
		return ctx
	}
	spanID, err := trace.SpanIDFromHex(w.progress.RootSpan)
	if err != nil {
		return ctx
	}
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled.WithSampled(!w.progress.Unsampled), Remote: true,
	}))
}

// step runs the stage that the incident is in, in a span of its own.
func (w *work) step(ctx context.Context) error {
	ctx, span := w.cfg.Tracer.Start(ctx, "autoheal."+string(w.in.State), trace.WithAttributes(
		attribute.String("incident.id", w.in.ID), attribute.String("incident.workload", w.in.Workload)))
	defer span.End()
	err := w.stages()[w.in.State](ctx)
	if err != nil && ctx.Err() == nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.SetAttributes(attribute.String("incident.next", string(w.in.State)), attribute.String("incident.cause", string(w.in.Diagnosis.Cause)))
	return err
}

// apply applies a remedy in a span of its own.
func (w *work) apply(ctx context.Context, r remedy.Remedy, application remedy.Application) remedy.Effect {
	ctx, span := w.actionSpan(ctx, r.Name(), application.Target)
	defer span.End()
	effect := r.Apply(ctx, application)
	span.SetAttributes(attribute.String("autoheal.result", effect.Result))
	if effect.Result == incident.ResultFailed {
		span.SetStatus(codes.Error, effect.Detail)
	}
	return effect
}

func (w *work) actionSpan(ctx context.Context, name string, target incident.Target) (context.Context, trace.Span) {
	return w.cfg.Tracer.Start(ctx, "autoheal.action", trace.WithAttributes(
		attribute.String("autoheal.remedy", name), attribute.String("autoheal.target", target.Name)))
}

// offenders links the stage's span to requests that were hurt, and names them in the audit.
func (w *work) offenders(ctx context.Context, requests []evidence.Request) {
	span := trace.SpanFromContext(ctx)
	var names []string
	for _, request := range requests {
		span.AddLink(trace.Link{SpanContext: request.Span, Attributes: []attribute.KeyValue{
			attribute.String("incident.offender", request.Replica),
		}})
		names = append(names, request.Span.TraceID().String()+" ("+request.Replica+")")
	}
	if len(names) > 0 {
		w.note("evidence", "requests that were hurt, for example trace %s", strings.Join(names, ", "))
	}
}
