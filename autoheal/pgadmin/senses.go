package pgadmin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
	"go.opentelemetry.io/otel/trace"
)

// Name is the connection's db.client.connection.pool.name. To the conventions a connection that is lent out is a pool of
// one; but its gauges and counters of failures are left out, because the pool alerts are about the patient's pools.
const Name = "autoheal-admin"

// senses observes one connection by OpenTelemetry's database conventions. It only ever stands beside: nothing waits for
// it, and nothing that it does can fail.
type senses struct {
	spans trace.Tracer
	attrs []attribute.KeyValue
	label metric.MeasurementOption

	created, waited, used histogram
}

type histogram interface {
	Record(ctx context.Context, seconds float64, options ...metric.RecordOption)
}

func newSenses(traces trace.TracerProvider, metrics metric.MeterProvider, to *pgx.ConnConfig) (*senses, error) {
	meter := metrics.Meter("autoheal/pgadmin")
	create, err1 := dbconv.NewClientConnectionCreateTime(meter)
	wait, err2 := dbconv.NewClientConnectionWaitTime(meter)
	use, err3 := dbconv.NewClientConnectionUseTime(meter)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return &senses{
		spans:   traces.Tracer("autoheal/pgadmin"),
		attrs:   []attribute.KeyValue{semconv.DBSystemNamePostgreSQL, semconv.DBNamespace(to.Database)},
		label:   metric.WithAttributeSet(attribute.NewSet(semconv.DBClientConnectionPoolName(Name))),
		created: create.Inst(), waited: wait.Inst(), used: use.Inst(),
	}, nil
}

// lent tells how long somebody waited for the connection, and had it.
func (s *senses) lent(ctx context.Context, asked, got time.Time) {
	s.waited.Record(ctx, got.Sub(asked).Seconds(), s.label)
	s.used.Record(ctx, time.Since(got).Seconds(), s.label)
}

// start makes a span where there is a trace already: the upkeep, which asks every two seconds, makes none of its own.
func (s *senses) start(ctx context.Context, name string, own ...attribute.KeyValue) context.Context {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx
	}
	ctx, _ = s.spans.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(s.attrs...), trace.WithAttributes(own...))
	return context.WithValue(ctx, startedKey{}, true)
}

// startedKey marks a context whose span is ours to end.
type startedKey struct{}

func (s *senses) end(ctx context.Context, err error) {
	if ctx.Value(startedKey{}) == nil {
		return
	}
	span := trace.SpanFromContext(ctx)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) {
			span.SetAttributes(semconv.DBResponseStatusCode(refused.Code))
		}
	}
	span.End()
}

type connectStartKey struct{}

// TraceConnectStart is pgx's hook.
func (s *senses) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	ctx = context.WithValue(ctx, connectStartKey{}, time.Now())
	return s.start(ctx, "pool.connect", semconv.DBClientConnectionPoolName(Name))
}

// TraceConnectEnd is pgx's hook.
func (s *senses) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	if began, ok := ctx.Value(connectStartKey{}).(time.Time); ok && data.Err == nil {
		s.created.Record(ctx, time.Since(began).Seconds(), s.label)
	}
	s.end(ctx, data.Err)
}

// TraceQueryStart is pgx's hook. The statements are this package's own, so their text is nobody's data.
func (s *senses) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	summary, known := summaries[data.SQL]
	if !known {
		summary = "SQL"
	}
	operation, _, _ := strings.Cut(summary, " ")
	return s.start(ctx, summary, semconv.DBQuerySummary(summary), semconv.DBOperationName(operation), semconv.DBQueryText(data.SQL))
}

// TraceQueryEnd is pgx's hook.
func (s *senses) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	s.end(ctx, data.Err)
}

// summaries name the statements that are asked.
var summaries = map[string]string{
	ActivityQuery: "SELECT pg_stat_activity", rightsQuery: "SELECT pg_roles",
	sessionsLeft: "SELECT pg_stat_activity", queriesLeft: "SELECT pg_stat_activity", sessionsOf: "SELECT pg_stat_activity",
	endSessions: "SELECT pg_terminate_backend", cancelQueries: "SELECT pg_cancel_backend",
}
