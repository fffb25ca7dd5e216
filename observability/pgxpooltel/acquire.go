package pgxpooltel

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"
)

type acquireStartKey struct{}

// TraceAcquireStart begins the wait.
func (t *tracer) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	t.waiting.Add(1)
	ctx = context.WithValue(ctx, acquireStartKey{}, time.Now())
	ctx, span := t.spans.Start(ctx, "pool.acquire")
	span.SetAttributes(t.ofPool...)
	return ctx
}

// TraceAcquireEnd ends the wait, with a connection or without.
func (t *tracer) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, data pgxpool.TraceAcquireEndData) {
	t.waiting.Add(-1)
	span := trace.SpanFromContext(ctx)
	defer finish(span, data.Err)

	if data.Err != nil {
		// Both are asked: an error of a connect that timed out looks like a deadline too, and a context may end just
		// after another error has come.
		if errors.Is(data.Err, context.DeadlineExceeded) && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.instruments.timeout(ctx)
		}
		return
	}
	now := time.Now()
	if began, ok := ctx.Value(acquireStartKey{}).(time.Time); ok {
		t.instruments.waited(ctx, now.Sub(began))
	}
	t.mu.Lock()
	t.held[data.Conn] = holding{since: now, by: span.SpanContext()}
	t.mu.Unlock()
}

// TraceRelease ends the use. It ignores connections that no Acquire handed out (AcquireAllIdle).
func (t *tracer) TraceRelease(_ *pgxpool.Pool, data pgxpool.TraceReleaseData) {
	t.mu.Lock()
	holding, ok := t.held[data.Conn]
	delete(t.held, data.Conn)
	t.mu.Unlock()
	if !ok {
		return
	}
	// The hook has no context; that of the acquisition leads to the request that held the connection.
	ctx := trace.ContextWithSpanContext(context.Background(), holding.by)
	t.instruments.usedFor(ctx, time.Since(holding.since))
}
