package pgxpooltel

import (
	"context"
	"errors"
	"time"
	"weak"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/dbconv"
)

// buckets are in seconds, and suit a pool whose wait and hold times lie between a millisecond and some seconds.
var buckets = metric.WithExplicitBucketBoundaries(
	.001, .0025, .005, .01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .65, .8, .9, 1, 2.5, 5)

// instruments are the pool's metrics, with the names and units of the conventions' Go package, so that they cannot be
// misspelt here.
type instruments struct {
	meter metric.Meter
	pool  attribute.KeyValue
	label metric.MeasurementOption // the pool's name; made once, because it is on every measurement

	timeouts       dbconv.ClientConnectionTimeouts
	createTime     dbconv.ClientConnectionCreateTime
	waitTime       dbconv.ClientConnectionWaitTime
	useTime        dbconv.ClientConnectionUseTime
	createFailures metric.Int64Counter
}

func newInstruments(provider metric.MeterProvider, pool string) (*instruments, error) {
	meter := provider.Meter(scope)
	in := &instruments{meter: meter, pool: semconv.DBClientConnectionPoolName(pool)}
	in.label = metric.WithAttributeSet(attribute.NewSet(in.pool))

	var errs [5]error
	in.timeouts, errs[0] = dbconv.NewClientConnectionTimeouts(meter)
	in.createTime, errs[1] = dbconv.NewClientConnectionCreateTime(meter, buckets)
	in.waitTime, errs[2] = dbconv.NewClientConnectionWaitTime(meter, buckets)
	in.useTime, errs[3] = dbconv.NewClientConnectionUseTime(meter, buckets)
	in.createFailures, errs[4] = meter.Int64Counter("db.client.connection.create_failures",
		metric.WithUnit("{failure}"),
		metric.WithDescription("Connects that failed, by SQLSTATE, or unreachable when no server answered."))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	// From the start, because rate() and increase() do not see the jump with which a series begins.
	ctx := context.Background()
	in.timeouts.Inst().Add(ctx, 0, in.label)
	in.createFailures.Add(ctx, 0, in.status(tooManyConnections))
	in.createFailures.Add(ctx, 0, in.status(unreachable))
	return in, nil
}

func (in *instruments) status(code string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(in.pool, semconv.DBResponseStatusCode(code)))
}

func (in *instruments) timeout(ctx context.Context) { in.timeouts.Inst().Add(ctx, 1, in.label) }

func (in *instruments) createFailed(ctx context.Context, code string) {
	in.createFailures.Add(ctx, 1, in.status(code))
}

func (in *instruments) created(ctx context.Context, took time.Duration) {
	in.createTime.Inst().Record(ctx, took.Seconds(), in.label)
}

func (in *instruments) waited(ctx context.Context, took time.Duration) {
	in.waitTime.Inst().Record(ctx, took.Seconds(), in.label)
}

func (in *instruments) usedFor(ctx context.Context, took time.Duration) {
	in.useTime.Inst().Record(ctx, took.Seconds(), in.label)
}

// observe registers the gauges. The meter provider outlives pools and nobody tells us of Close, so the pool is held
// weakly: once it is collected, its gauges stop instead of keeping it in memory.
func (in *instruments) observe(pool *pgxpool.Pool, hooks *tracer) error {
	var errs [5]error
	var (
		count   dbconv.ClientConnectionCountObservable
		highest dbconv.ClientConnectionMaxObservable
		idleMin dbconv.ClientConnectionIdleMinObservable
		idleMax dbconv.ClientConnectionIdleMaxObservable
		pending dbconv.ClientConnectionPendingRequestsObservable
	)
	count, errs[0] = dbconv.NewClientConnectionCountObservable(in.meter)
	highest, errs[1] = dbconv.NewClientConnectionMaxObservable(in.meter)
	idleMin, errs[2] = dbconv.NewClientConnectionIdleMinObservable(in.meter)
	idleMax, errs[3] = dbconv.NewClientConnectionIdleMaxObservable(in.meter)
	pending, errs[4] = dbconv.NewClientConnectionPendingRequestsObservable(in.meter)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	idle := metric.WithAttributeSet(attribute.NewSet(in.pool, semconv.DBClientConnectionStateIdle))
	used := metric.WithAttributeSet(attribute.NewSet(in.pool, semconv.DBClientConnectionStateUsed))
	limits := pool.Config()
	ref := weak.Make(pool)

	_, err := in.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		pool := ref.Value()
		if pool == nil {
			return nil
		}
		o.ObserveInt64(count.Inst(), int64(pool.Stat().IdleConns()), idle)
		o.ObserveInt64(count.Inst(), hooks.used(), used)
		o.ObserveInt64(pending.Inst(), hooks.waiting.Load(), in.label)
		o.ObserveInt64(highest.Inst(), int64(limits.MaxConns), in.label)
		o.ObserveInt64(idleMin.Inst(), int64(limits.MinIdleConns), in.label)
		// pgxpool has no limit of its own on idle connections: all of them may be.
		o.ObserveInt64(idleMax.Inst(), int64(limits.MaxConns), in.label)
		return nil
	}, count.Inst(), highest.Inst(), idleMin.Inst(), idleMax.Inst(), pending.Inst())
	return err
}
