package telemetry

import (
	"context"
	"errors"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// batcher hands finished spans to an exporter a few times a second. It does the work of the SDK's batch processor, which
// wakes a goroutine for each span (at twenty spans an order, most of what tracing costs) and drops what does not fit
// without a word; this one takes a lock, and counts.
type batcher struct {
	exporter sdktrace.SpanExporter
	losses   *losses

	mu     sync.Mutex
	queued []sdktrace.ReadOnlySpan

	sending sync.Mutex // one export at a time, so that the queue is the only thing that can grow
	stop    func()
	stopped chan struct{}
}

var errQueueFull = errors.New("spans end faster than they can be sent, and the queue is full")

func newBatcher(exporter sdktrace.SpanExporter, losses *losses) *batcher {
	stop := make(chan struct{})
	b := &batcher{
		exporter: exporter, losses: losses,
		stop: sync.OnceFunc(func() { close(stop) }), stopped: make(chan struct{}),
	}
	go b.run(stop)
	return b
}

func (b *batcher) run(stop <-chan struct{}) {
	defer close(b.stopped)
	ticker := time.NewTicker(flushInterval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			_ = b.ForceFlush(context.Background()) // each export has its own timeout
		}
	}
}

// OnStart does nothing: a span is sent when it ends.
func (b *batcher) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd queues a span, or drops it when the queue is full.
func (b *batcher) OnEnd(span sdktrace.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	b.mu.Lock()
	full := len(b.queued) >= queueSize
	if !full {
		b.queued = append(b.queued, span)
	}
	b.mu.Unlock()
	if full {
		b.losses.count("traces", 1, errQueueFull)
	}
}

// ForceFlush sends what is queued. It gives an error when ctx ends first; what was not sent by then is lost.
func (b *batcher) ForceFlush(ctx context.Context) error {
	b.sending.Lock()
	defer b.sending.Unlock()
	b.mu.Lock()
	spans := b.queued
	b.queued = make([]sdktrace.ReadOnlySpan, 0, min(cap(spans), batchSize))
	b.mu.Unlock()

	for len(spans) > 0 {
		batch := spans[:min(batchSize, len(spans))]
		spans = spans[len(batch):]
		within, cancel := context.WithTimeout(ctx, exportTimeout)
		b.losses.count("traces", len(batch), b.exporter.ExportSpans(within, batch))
		cancel()
		if err := ctx.Err(); err != nil {
			b.losses.count("traces", len(spans), err)
			return err
		}
	}
	return nil
}

// Shutdown sends what is queued and ends the exporter. An export that is under way is waited for as long as ctx allows:
// cutting it off would lose the last spans of a program that ends in order.
func (b *batcher) Shutdown(ctx context.Context) error {
	b.stop()
	select {
	case <-b.stopped:
	case <-ctx.Done():
		return ctx.Err()
	}
	return errors.Join(b.ForceFlush(ctx), b.exporter.Shutdown(ctx))
}
