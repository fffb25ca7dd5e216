package pgxpooltel

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// TraceQueryStart begins one statement; BEGIN and COMMIT come this way too.
func (t *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return t.statement(ctx, data.SQL)
}

// TraceQueryEnd ends the statement, after its last row was read.
func (t *tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	finish(trace.SpanFromContext(ctx), data.Err)
}

// TraceBatchStart begins a batch, which is one round trip and one span.
func (t *tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	return t.start(ctx, "BATCH",
		t.with(semconv.DBOperationName("BATCH"), semconv.DBOperationBatchSize(data.Batch.Len())))
}

// TraceBatchQuery marks one statement of a batch; a failing one shows which.
func (t *tracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	described := t.described.of(data.SQL)
	attrs := []attribute.KeyValue{semconv.DBQueryText(described.text)}
	if data.Err != nil {
		attrs = append(attrs, errorAttributes(data.Err)...)
	}
	span.AddEvent(described.summary, trace.WithAttributes(attrs...))
}

// TraceBatchEnd ends the batch.
func (t *tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	finish(trace.SpanFromContext(ctx), data.Err)
}

// TraceCopyFromStart begins a COPY.
func (t *tracer) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	table := strings.Join(data.TableName, ".")
	return t.start(ctx, "COPY "+table, t.with(semconv.DBOperationName("COPY"), semconv.DBCollectionName(table)))
}

// TraceCopyFromEnd ends the COPY.
func (t *tracer) TraceCopyFromEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromEndData) {
	finish(trace.SpanFromContext(ctx), data.Err)
}

func (t *tracer) statement(ctx context.Context, sql string) context.Context {
	described := t.described.of(sql)
	return t.start(ctx, described.summary, described.attributes)
}

// with is the attributes of a span that are not the same each time, after those that are.
func (t *tracer) with(own ...attribute.KeyValue) []attribute.KeyValue {
	return slices.Concat(t.described.common, own)
}

// start begins a span. Its attributes are set afterwards: as an option of Start they would be copied twice.
func (t *tracer) start(ctx context.Context, name string, attributes []attribute.KeyValue) context.Context {
	ctx, span := t.spans.Start(ctx, name, t.asClient...)
	span.SetAttributes(attributes...)
	return ctx
}
