package pgxpooltel

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// tracer is what pgx and pgxpool call; one for each pool.
type tracer struct {
	instruments *instruments
	spans       trace.Tracer
	asClient    []trace.SpanStartOption
	ofPool      []attribute.KeyValue // of pool.acquire and pool.connect
	described   descriptions

	waiting atomic.Int64

	mu   sync.Mutex
	held map[*pgx.Conn]holding
}

// holding is one acquired connection.
type holding struct {
	since time.Time
	by    trace.SpanContext // who waited for it; use_time's exemplar
}

var (
	_ pgxpool.AcquireTracer = (*tracer)(nil)
	_ pgxpool.ReleaseTracer = (*tracer)(nil)
	_ pgx.ConnectTracer     = (*tracer)(nil)
	_ pgx.QueryTracer       = (*tracer)(nil)
	_ pgx.BatchTracer       = (*tracer)(nil)
	_ pgx.CopyFromTracer    = (*tracer)(nil)
)

func newTracer(cfg Config, pool *pgxpool.Config) (*tracer, error) {
	instruments, err := newInstruments(cfg.MeterProvider, cfg.PoolName)
	if err != nil {
		return nil, err
	}
	return &tracer{
		instruments: instruments,
		spans:       cfg.TracerProvider.Tracer(scope),
		asClient:    []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient)},
		ofPool:      poolAttributes(cfg.PoolName, pool.ConnConfig),
		described:   descriptions{common: statementAttributes(pool.ConnConfig)},
		held:        map[*pgx.Conn]holding{},
	}, nil
}

func (t *tracer) used() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int64(len(t.held))
}

// finish ends a span; an error is its status, so that a waterfall shows where it went wrong.
func finish(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		span.SetStatus(codes.Error, err.Error())
		span.SetAttributes(errorAttributes(err)...)
	}
	span.End()
}
