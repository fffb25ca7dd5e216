package telemetry

import (
	"context"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/trace"
)

// atLeast drops records below a level; the OTLP bridge has no level of its own.
type atLeast struct {
	slog.Handler
	level slog.Level
}

func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}

func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.Handler.WithAttrs(attrs), h.level}
}

func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.Handler.WithGroup(name), h.level}
}

// traceIDs adds the context's trace_id and span_id to each record, always at the top level: a record's own attributes
// go into the open group, where nobody who greps for a trace would look.
type traceIDs struct {
	top     slog.Handler // before the first group
	grouped []func(slog.Handler) slog.Handler
	current slog.Handler // top with all of grouped
}

func newTraceIDs(next slog.Handler) traceIDs { return traceIDs{top: next, current: next} }

func (h traceIDs) Enabled(ctx context.Context, level slog.Level) bool {
	return h.current.Enabled(ctx, level)
}

func (h traceIDs) Handle(ctx context.Context, record slog.Record) error {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return h.current.Handle(ctx, record)
	}
	ids := []slog.Attr{
		slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()),
	}
	if len(h.grouped) == 0 {
		record = record.Clone()
		record.AddAttrs(ids...)
		return h.current.Handle(ctx, record)
	}
	handler := h.top.WithAttrs(ids)
	for _, step := range h.grouped {
		handler = step(handler)
	}
	return handler.Handle(ctx, record)
}

func (h traceIDs) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(h.grouped) == 0 {
		return newTraceIDs(h.top.WithAttrs(attrs))
	}
	return h.with(func(next slog.Handler) slog.Handler { return next.WithAttrs(attrs) })
}

func (h traceIDs) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(func(next slog.Handler) slog.Handler { return next.WithGroup(name) })
}

func (h traceIDs) with(step func(slog.Handler) slog.Handler) slog.Handler {
	h.grouped = append(slices.Clip(h.grouped), step)
	h.current = step(h.current)
	return h
}
