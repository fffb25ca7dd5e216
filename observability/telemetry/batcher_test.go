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
)

// slowBackend takes a while for each batch, or as long as its caller lets it.
type slowBackend struct {
	takes   time.Duration
	says    error
	batches []int
}

func (e *slowBackend) send(ctx context.Context, records []int) error {
	select {
	case <-time.After(e.takes):
		e.batches = append(e.batches, len(records))
		return e.says
	case <-ctx.Done():
		return ctx.Err()
	}
}

// records makes a batcher to the backend, and what counts its losses.
func records(t *testing.T, backend *slowBackend) (*batcher[int], func() float64) {
	t.Helper()
	losses, err := newLosses(prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return newBatcher("traces", backend.send, losses), func() float64 { return testutil.ToFloat64(losses.lost.WithLabelValues("traces")) }
}

func add(b *batcher[int], count int) {
	for i := range count {
		b.add(i)
	}
}

func TestRecordsLeaveWithinHalfASecondInBoundedBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &slowBackend{}
		b, lost := records(t, backend)
		add(b, 2*batchSize+7)
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if len(backend.batches) != 3 || backend.batches[0] != batchSize || backend.batches[2] != 7 {
			t.Errorf("batches after half a second: %v", backend.batches)
		}
		if err := b.Shutdown(t.Context()); err != nil || lost() != 0 || b.holds() != 0 {
			t.Errorf("Shutdown: %v, lost %v, held %d", err, lost(), b.holds())
		}
	})
}

func TestAQueueThatIsHalfFullIsSentAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &slowBackend{}
		b, _ := records(t, backend)
		add(b, queueSize/2)
		synctest.Wait() // no time passes here
		if len(backend.batches) != queueSize/2/batchSize {
			t.Errorf("batches: %v", backend.batches)
		}
		if err := b.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatDoesNotFitTheQueueIsCountedAndNothingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &slowBackend{takes: 100 * time.Millisecond}
		b, lost := records(t, backend)
		began := time.Now()
		add(b, queueSize+100)
		if waited := time.Since(began); waited != 0 {
			t.Errorf("adding records took %s", waited)
		}
		if lost() != 100 || b.holds() != queueSize {
			t.Errorf("100 records too many for the queue, but %v counted as lost, and %d held", lost(), b.holds())
		}
		if err := b.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		sent := 0
		for _, batch := range backend.batches {
			sent += batch
		}
		if sent != queueSize || lost() != 100 {
			t.Errorf("%d of the %d queued records were sent, %v lost", sent, queueSize, lost())
		}
	})
}

func TestABackendThatHangsCostsTheTimeoutAndItsRecordsAndTheQueueStaysBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, lost := records(t, &slowBackend{takes: time.Hour})
		add(b, 3*batchSize)
		time.Sleep(flushInterval + time.Millisecond) // the first export is under way
		add(b, queueSize)
		if b.holds() != queueSize {
			t.Errorf("%d records held while one export hangs, want %d", b.holds(), queueSize)
		}
		tooMany := float64(3 * batchSize)
		if lost() != tooMany {
			t.Errorf("%v lost, want those that did not fit: %v", lost(), tooMany)
		}
		time.Sleep(3 * exportTimeout)
		synctest.Wait()
		if lost() != tooMany+3*batchSize {
			t.Errorf("%v lost after three timeouts, want %v", lost(), tooMany+3*batchSize)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = b.Shutdown(ctx)
		synctest.Wait()
		if lost() != tooMany+queueSize || b.holds() != 0 {
			t.Errorf("%v lost and %d held after Shutdown; all must be counted", lost(), b.holds())
		}
	})
}

func TestShutdownEndsWithItsContextWhenTheBackendHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, lost := records(t, &slowBackend{takes: time.Hour})
		add(b, 3*batchSize)
		time.Sleep(flushInterval + time.Millisecond) // the first export is under way
		ctx, cancel := context.WithTimeout(t.Context(), exportTimeout/2)
		defer cancel()
		began := time.Now()
		if err := b.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if took := time.Since(began); took > exportTimeout/2 {
			t.Errorf("Shutdown took %s", took)
		}
		synctest.Wait() // the export that hung is cut off, and no time passes until all is counted
		if lost() != 3*batchSize {
			t.Errorf("%v records counted as lost, want all %d", lost(), 3*batchSize)
		}
		b.add(1)
		if lost() != 3*batchSize+1 {
			t.Error("a record after the end is not counted")
		}
	})
}

func TestOfAnExportThatWasPartlyRefusedOnlyThatPartIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, lost := records(t, &slowBackend{says: partlyRefused{3, "too old"}})
		add(b, 10)
		if err := b.Shutdown(t.Context()); err != nil || lost() != 3 {
			t.Errorf("Shutdown: %v, lost %v", err, lost())
		}
	})
}
