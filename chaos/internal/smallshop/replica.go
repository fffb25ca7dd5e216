package smallshop

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// acquireTimeout is how long an order waits for a connection.
const acquireTimeout = 400 * time.Millisecond

var errUnavailable = errors.New("no connection")

// replica is one process of orders, as far as its pool goes.
type replica struct {
	id, startID string
	workload    string
	pool        *pgxpool.Pool

	mu     sync.Mutex
	leaked []*pgxpool.Conn
}

func startReplica(ctx context.Context, database, workload, id string) (*replica, error) {
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		return nil, err
	}
	config.MaxConns, config.MinConns = PoolMax, PoolMax
	config.ConnConfig.RuntimeParams["application_name"] = workload + "/" + id
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return &replica{id: id, startID: uuid.NewString(), workload: workload, pool: pool}, Connect(ctx, pool)
}

// Connect opens every connection that the pool may hold. Without it the first requests pay for the handshakes out of the short
// time that they wait for a connection, and on a busy machine fail as if the pool were exhausted.
func Connect(ctx context.Context, pool *pgxpool.Pool) error {
	var held []*pgxpool.Conn
	defer func() {
		for _, conn := range held {
			conn.Release()
		}
	}()
	for range pool.Config().MaxConns {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return err
		}
		held = append(held, conn)
	}
	return nil
}

// order holds a connection for as long as hold says. With a coupon it forgets to give it back, unless mended.
func (r *replica) order(ctx context.Context, hold time.Duration, coupon, mended bool) error {
	ctx, cancel := context.WithTimeout(ctx, acquireTimeout)
	defer cancel()
	conn, err := r.pool.Acquire(ctx)
	if err != nil {
		return errUnavailable
	}
	if _, err := conn.Exec(context.WithoutCancel(ctx), "SELECT pg_sleep($1)", hold.Seconds()); err != nil {
		conn.Release()
		return err
	}
	if coupon && !mended {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.leaked = append(r.leaked, conn)
		return nil
	}
	conn.Release()
	return nil
}

func (r *replica) leaks() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.leaked)
}

// end does to the database what the end of a process does: every session ends.
func (r *replica) end() {
	r.mu.Lock()
	for _, conn := range r.leaked {
		conn.Release()
	}
	r.leaked = nil
	r.mu.Unlock()
	r.pool.Close()
}
