package telemetry

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Bounds of an export queue. Batches leave within half a second because a healer and a demo look at traces seconds after
// the fact; the queue holds some seconds of a busy service and then drops, because memory is worth more than records.
const (
	flushInterval = 400 * time.Millisecond
	exportTimeout = time.Second
	queueSize     = 4096
	batchSize     = 512
)

// batcher hands records to a backend a few times a second. It does the work of the SDK's batch processors, of which the
// one for spans wakes a goroutine for each span (at twenty spans an order, much of what tracing costs), and both drop
// what does not fit without a word; this one takes a lock, and counts.
type batcher[R any] struct {
	signal string
	send   func(context.Context, []R) error
	losses *losses

	mu     sync.Mutex
	queued []R
	held   int // queued or being sent, at most queueSize
	closed bool

	sending sync.Mutex // one export at a time, so that the queue is the only thing that can grow
	spare   []R        // what was sent last, to be filled again

	hurry   chan struct{}
	stop    func()
	stopped chan struct{}
	giveUp  context.CancelFunc
}

var (
	errQueueFull = errors.New("records come faster than they can be sent, and the queue is full")
	errClosed    = errors.New("the program has shut its telemetry down")
)

func newBatcher[R any](signal string, send func(context.Context, []R) error, losses *losses) *batcher[R] {
	stop := make(chan struct{})
	ctx, giveUp := context.WithCancel(context.Background())
	b := &batcher[R]{
		signal: signal, send: send, losses: losses, giveUp: giveUp,
		hurry: make(chan struct{}, 1),
		stop:  sync.OnceFunc(func() { close(stop) }), stopped: make(chan struct{}),
	}
	losses.watch(signal, b.holds)
	go b.run(ctx, stop)
	return b
}

// run sends until it is stopped, and then once more. Each export has a timeout of its own; ctx ends when nobody has the
// time to wait any longer.
func (b *batcher[R]) run(ctx context.Context, stop <-chan struct{}) {
	defer b.giveUp()
	defer close(b.stopped)
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			_ = b.ForceFlush(ctx) // what it could not send is counted
			return
		case <-ticker.C:
		case <-b.hurry:
		}
		_ = b.ForceFlush(ctx)
	}
}

// add queues a record, or drops it when the queue is full. It never waits for an export.
func (b *batcher[R]) add(record R) {
	b.mu.Lock()
	var refused error
	switch {
	case b.closed:
		refused = errClosed
	case b.held >= queueSize:
		refused = errQueueFull
	default:
		b.queued = append(b.queued, record)
		b.held++
	}
	halfFull := len(b.queued) == queueSize/2
	b.mu.Unlock()
	if refused != nil {
		b.losses.count(b.signal, 1, refused)
		return
	}
	if halfFull {
		select {
		case b.hurry <- struct{}{}:
		default: // it is hurrying already
		}
	}
}

func (b *batcher[R]) holds() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

// ForceFlush sends what is queued. It gives an error when ctx ends first; what was not sent by then is lost.
func (b *batcher[R]) ForceFlush(ctx context.Context) error {
	b.sending.Lock()
	defer b.sending.Unlock()
	b.mu.Lock()
	records := b.queued
	b.queued, b.spare = b.spare, nil
	b.mu.Unlock()

	for rest := records; len(rest) > 0; {
		batch := rest[:min(batchSize, len(rest))]
		rest = rest[len(batch):]
		b.export(ctx, batch)
		if err := ctx.Err(); err != nil {
			b.gone(rest, err)
			return err
		}
	}
	if cap(records) <= queueSize/2 { // a burst's space is not kept
		clear(records)
		b.spare = records[:0]
	}
	return nil
}

func (b *batcher[R]) export(ctx context.Context, batch []R) {
	within, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	b.gone(batch, b.send(within, batch))
}

// gone lets go of records that were sent, or, with an error, lost.
func (b *batcher[R]) gone(records []R, err error) {
	b.losses.count(b.signal, len(records), err)
	b.mu.Lock()
	b.held -= len(records)
	b.mu.Unlock()
}

// Shutdown sends what is queued. An export that is under way is waited for as long as ctx allows: cutting it off would
// lose the last records of a program that ends in order. After that it is cut off, and all that is left is counted.
func (b *batcher[R]) Shutdown(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.stop()
	select {
	case <-b.stopped:
		return nil
	case <-ctx.Done():
		b.giveUp()
		return ctx.Err()
	}
}
