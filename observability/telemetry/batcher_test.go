package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// slowExporter takes a while for each batch, or as long as its caller lets it.
type slowExporter struct {
	takes   time.Duration
	batches []int
}

func (e *slowExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	select {
	case <-time.After(e.takes):
		e.batches = append(e.batches, len(spans))
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *slowExporter) Shutdown(context.Context) error { return nil }

// spans makes a provider over the exporter, and what counts its losses.
func spans(t *testing.T, exporter sdktrace.SpanExporter) (*sdktrace.TracerProvider, func() float64) {
	t.Helper()
	losses, err := newLosses(prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(newBatcher(exporter, losses)))
	return provider, func() float64 { return testutil.ToFloat64(losses.lost.WithLabelValues("traces")) }
}

func end(provider *sdktrace.TracerProvider, count int) {
	for range count {
		_, span := provider.Tracer("test").Start(context.Background(), "work")
		span.End()
	}
}

func TestSpansLeaveWithinHalfASecondInBoundedBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exporter := &slowExporter{}
		provider, lost := spans(t, exporter)
		end(provider, 2*batchSize+7)
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if len(exporter.batches) != 3 || exporter.batches[0] != batchSize || exporter.batches[2] != 7 {
			t.Errorf("batches after half a second: %v", exporter.batches)
		}
		if err := provider.Shutdown(t.Context()); err != nil || lost() != 0 {
			t.Errorf("Shutdown: %v, lost %v", err, lost())
		}
	})
}

func TestWhatDoesNotFitTheQueueIsCountedAndNothingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exporter := &slowExporter{takes: 400 * time.Millisecond}
		provider, lost := spans(t, exporter)
		began := time.Now()
		end(provider, queueSize+100)
		if waited := time.Since(began); waited != 0 {
			t.Errorf("ending spans took %s", waited)
		}
		if lost() != 100 {
			t.Errorf("100 spans too many for the queue, but %v counted as lost", lost())
		}
		if err := provider.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		sent := 0
		for _, batch := range exporter.batches {
			sent += batch
		}
		if sent != queueSize {
			t.Errorf("%d of the %d queued spans were sent", sent, queueSize)
		}
	})
}

func TestShutdownEndsWithItsContextWhenTheBackendHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		provider, lost := spans(t, &slowExporter{takes: time.Hour})
		end(provider, 3*batchSize)
		time.Sleep(300 * time.Millisecond) // the first export is under way
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		if err := provider.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("Shutdown took %s", took)
		}
		time.Sleep(time.Minute) // let the exports that hang run into their timeouts
		if lost() != 3*batchSize {
			t.Errorf("%v spans counted as lost, want all %d", lost(), 3*batchSize)
		}
	})
}

func TestASpanThatNobodyWantsIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exporter := &slowExporter{}
		losses, err := newLosses(prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		provider := sdktrace.NewTracerProvider(
			sdktrace.WithSampler(sdktrace.NeverSample()), sdktrace.WithSpanProcessor(newBatcher(exporter, losses)))
		end(provider, 5)
		if err := provider.Shutdown(t.Context()); err != nil || len(exporter.batches) != 0 {
			t.Errorf("sent %v, %v", exporter.batches, err)
		}
	})
}
