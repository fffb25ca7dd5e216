package database

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
)

// drainGrace is how long an Acquire may still wait once the pool drains: long enough to be handed a connection that is
// free, far too short to wait for one that never comes.
const drainGrace = 25 * time.Millisecond

// Pool is a pgx pool whose Acquire is bounded, and which can end although connections are missing from it.
type Pool struct {
	pool           *pgxpool.Pool
	acquireTimeout time.Duration
	draining       context.Context // ends when Drain is called
	drain          context.CancelFunc
}

func newPool(pool *pgxpool.Pool, acquireTimeout time.Duration) *Pool {
	draining, drain := context.WithCancel(context.Background())
	return &Pool{pool: pool, acquireTimeout: acquireTimeout, draining: draining, drain: drain}
}

// Acquire borrows a connection; whoever borrows it gives it back with Release. It waits for the acquire timeout at
// most, and hardly at all while the pool drains; then its error is apierror.Unavailable.
func (p *Pool) Acquire(ctx context.Context) (*pgxpool.Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, p.acquireTimeout)
	defer cancel()
	stop := context.AfterFunc(p.draining, func() { time.AfterFunc(drainGrace, cancel) })
	defer stop()
	conn, err := p.pool.Acquire(waiting)
	if err != nil {
		return nil, p.refused(ctx, err)
	}
	return conn, nil
}

// WithAcquireTimeout is the same pool for callers who wait for another time: less, when going away is better than waiting.
func (p *Pool) WithAcquireTimeout(timeout time.Duration) *Pool {
	return &Pool{pool: p.pool, acquireTimeout: timeout, draining: p.draining, drain: p.drain}
}

func (p *Pool) refused(ctx context.Context, err error) error {
	var connect *pgconn.ConnectError
	switch {
	case p.draining.Err() != nil:
		return apierror.New(apierror.Unavailable, "this replica is ending; try again").Because(err)
	case ctx.Err() != nil:
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return apierror.New(apierror.Unavailable, "no database connection was free within %s; try again", p.acquireTimeout).Because(err)
	case errors.As(err, &connect):
		return apierror.New(apierror.Unavailable, "the database takes no connection; try again").Because(err)
	default:
		return err
	}
}

// Drain refuses those who wait for a connection, now and from now on; those who have one are let alone.
func (p *Pool) Drain() { p.drain() }

// errNotGivenBack is why Close gave up.
var errNotGivenBack = errors.New("connections were never given back to the pool")

// closeBound is the longest that Close waits. It is called when no request runs any more, so a connection that is
// still out then does not come back.
const closeBound = 50 * time.Millisecond

// Close closes the pool. pgxpool waits for every connection, for ever if one was never given back; so the wait is
// bounded here, and the end of the process does the rest.
func (p *Pool) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeBound)
	defer cancel()
	closed := make(chan struct{})
	go func() {
		p.pool.Close()
		close(closed)
	}()
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return errNotGivenBack
	}
}

// Acquired is how many connections are out.
func (p *Pool) Acquired() int32 { return p.pool.Stat().AcquiredConns() }

// warm waits until the pool is full, so that the first requests do not pay for connecting.
func (p *Pool) warm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	conn.Release()
	full := time.After(warmUp)
	for p.pool.Stat().IdleConns() < p.pool.Config().MaxConns {
		select {
		case <-full:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
	return nil
}
