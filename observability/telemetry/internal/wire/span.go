package wire

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// The numbers are those of opentelemetry/proto/trace/v1/trace.proto.
func (w *writer) span(span sdktrace.ReadOnlySpan) {
	this, parent := span.SpanContext(), span.Parent()
	traceID, spanID, parentID := this.TraceID(), this.SpanID(), parent.SpanID()
	w.bytes(1, traceID[:])
	w.bytes(2, spanID[:])
	w.text(3, this.TraceState().String())
	if parentID.IsValid() {
		w.bytes(4, parentID[:])
	}
	w.text(5, span.Name())
	w.number(6, spanKind(span.SpanKind()))
	w.time(7, span.StartTime())
	w.time(8, span.EndTime())
	w.attributes(9, span.Attributes())
	w.count(10, span.DroppedAttributes())
	for _, event := range span.Events() {
		w.event(event)
	}
	w.count(12, span.DroppedEvents())
	for _, link := range span.Links() {
		w.link(link)
	}
	w.count(14, span.DroppedLinks())
	w.status(span.Status())
	w.fixed32(16, spanFlags(this, parent))
}

func (w *writer) event(event sdktrace.Event) {
	start := w.begin(11)
	w.time(1, event.Time)
	w.text(2, event.Name)
	w.attributes(3, event.Attributes)
	w.count(4, event.DroppedAttributeCount)
	w.end(start)
}

func (w *writer) link(link sdktrace.Link) {
	start := w.begin(13)
	traceID, spanID := link.SpanContext.TraceID(), link.SpanContext.SpanID()
	w.bytes(1, traceID[:])
	w.bytes(2, spanID[:])
	w.attributes(4, link.Attributes)
	w.count(5, link.DroppedAttributeCount)
	w.fixed32(6, spanFlags(link.SpanContext, link.SpanContext))
	w.end(start)
}

func (w *writer) status(status sdktrace.Status) {
	start := w.begin(15)
	w.text(2, status.Description)
	switch status.Code {
	case codes.Ok:
		w.number(3, 1)
	case codes.Error:
		w.number(3, 2)
	case codes.Unset:
	}
	w.end(start)
}

// spanKind is the wire's number of a kind; the API counts otherwise.
func spanKind(kind trace.SpanKind) uint64 {
	switch kind {
	case trace.SpanKindInternal:
		return 1
	case trace.SpanKindServer:
		return 2
	case trace.SpanKindClient:
		return 3
	case trace.SpanKindProducer:
		return 4
	case trace.SpanKindConsumer:
		return 5
	default:
		return 0
	}
}

// spanFlags are the W3C flags, and whether the parent is remote, with the mark that this is known.
func spanFlags(this, parent trace.SpanContext) uint32 {
	const knowsRemote, isRemote = 0x100, 0x200
	flags := uint32(this.TraceFlags()) | knowsRemote
	if parent.IsRemote() {
		flags |= isRemote
	}
	return flags
}

func (w *writer) time(field int, at time.Time) { w.fixed64(field, uint64(max(0, at.UnixNano()))) }

func (w *writer) count(field, n int) { w.number(field, uint64(max(0, n))) }

func (w *writer) scope(scope instrumentation.Scope) {
	if scope == (instrumentation.Scope{}) {
		return
	}
	start := w.begin(1)
	w.text(1, scope.Name)
	w.text(2, scope.Version)
	w.attributes(3, scope.Attributes.ToSlice())
	w.end(start)
}

func (w *writer) attributes(field int, attributes []attribute.KeyValue) {
	for _, a := range attributes {
		start := w.begin(field)
		w.text(1, string(a.Key))
		w.value(2, a.Value)
		w.end(start)
	}
}
