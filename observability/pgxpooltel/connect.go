package pgxpooltel

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Values of db.response.status_code on create_failures that exist from the start.
const (
	tooManyConnections = "53300"       // SQLSTATE too_many_connections
	unreachable        = "unreachable" // no server answered: refused, timed out, unknown host
)

type connectStartKey struct{}

// TraceConnectStart begins a connect. Its span hangs below the pool.acquire that asked for it, or below none when the
// pool connects ahead of need.
func (t *tracer) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	ctx = context.WithValue(ctx, connectStartKey{}, time.Now())
	return t.start(ctx, "pool.connect", t.ofPool)
}

// TraceConnectEnd ends a connect, with a connection or without.
func (t *tracer) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	defer finish(trace.SpanFromContext(ctx), data.Err)
	if data.Err == nil {
		if began, ok := ctx.Value(connectStartKey{}).(time.Time); ok {
			t.instruments.created(ctx, time.Since(began))
		}
		return
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return // the pool gave up (it was closed, or a sibling failed first); that says nothing about the server
	}
	code := sqlState(data.Err)
	if code == "" {
		code = unreachable
	}
	t.instruments.createFailed(ctx, code)
}

// sqlState is the server's five-letter code in err, or empty when it did not come from a server.
func sqlState(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

func errorAttributes(err error) []attribute.KeyValue {
	if code := sqlState(err); code != "" {
		return []attribute.KeyValue{semconv.DBResponseStatusCode(code), semconv.ErrorTypeKey.String(code)}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return []attribute.KeyValue{semconv.ErrorTypeKey.String("timeout")}
	case errors.Is(err, context.Canceled):
		return []attribute.KeyValue{semconv.ErrorTypeKey.String("cancelled")}
	}
	return []attribute.KeyValue{semconv.ErrorTypeOther}
}
