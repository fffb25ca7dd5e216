package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/storefront/queue"
)

// line is a queue in a file, and what orders was asked to complete.
type line struct {
	*queue.Queue
	metrictest.Page
	path string

	mu    sync.Mutex
	asked map[string]int
	say   func(key string, nth int) (json.RawMessage, error)
}

func newLine(t *testing.T) *line {
	t.Helper()
	l := &line{
		path: filepath.Join(t.TempDir(), "queue.db"), asked: map[string]int{},
		say: func(string, int) (json.RawMessage, error) { return json.RawMessage(`{"order_id":"o"}`), nil },
	}
	l.open(t)
	return l
}

func (l *line) open(t *testing.T) {
	t.Helper()
	l.Page = metrictest.New(t)
	opened, err := queue.Open(t.Context(), queue.Config{Path: l.path, MeterProvider: l.MeterProvider()})
	if err != nil {
		t.Fatal(err)
	}
	l.Queue = opened
	t.Cleanup(func() {
		if l.Queue == opened {
			l.close(t)
		}
	})
}

func (l *line) close(t *testing.T) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	l.Queue = nil
}

func (l *line) accept(t *testing.T, key, body string) queue.Entry {
	t.Helper()
	entry, err := l.Accept(t.Context(), queue.Entry{Key: key, Body: json.RawMessage(body)})
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

// work completes entries until the test ends or the returned function is called.
func (l *line) work(t *testing.T, rate float64) (stop func()) {
	t.Helper()
	worker, err := queue.NewWorker(queue.WorkerConfig{
		Queue: l.Queue, Log: slog.New(slog.DiscardHandler), Pause: time.Millisecond,
		Rate:     func() float64 { return rate },
		Complete: func(_ context.Context, entry queue.Entry) (json.RawMessage, error) { return l.complete(entry.Key) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = worker.Run(ctx) })
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

func (l *line) complete(key string) (json.RawMessage, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[key]++
	return l.say(key, l.asked[key])
}

func (l *line) state(t *testing.T, key string) queue.State {
	t.Helper()
	entry, err := l.Find(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return entry.State
}

func TestOneKeyIsOneEntryAndStandsForOneOrder(t *testing.T) {
	l := newLine(t)
	first := l.accept(t, "k", `{"a":1}`)
	if again := l.accept(t, "k", `{"a":1}`); again.ID != first.ID {
		t.Errorf("entries %d and %d for one key", first.ID, again.ID)
	}
	if _, err := l.Accept(t.Context(), queue.Entry{Key: "k", Body: json.RawMessage(`{"a":2}`)}); !errors.Is(err, queue.ErrKeyConflict) {
		t.Errorf("another order under the key: %v, want a conflict", err)
	}
	if backlog, err := l.Backlog(t.Context()); err != nil || backlog.Waiting != 1 {
		t.Errorf("%+v (%v), want one that waits", backlog, err)
	}
	l.Expect(t, map[string]float64{
		`storefront_queue_outcomes_total{result="accepted"}`: 1, `storefront_queue_outcomes_total{result="repeated"}`: 1,
		`storefront_queue_waiting_orders`: 1,
	})
}

func TestWhatWasAcceptedIsThereWhenTheFileIsOpenedAgain(t *testing.T) {
	l := newLine(t)
	var customers sync.WaitGroup
	for i := range 200 {
		customers.Go(func() { l.accept(t, fmt.Sprint("k", i), `{}`) })
	}
	customers.Wait()
	l.close(t)
	l.open(t)
	if backlog, err := l.Backlog(t.Context()); err != nil || backlog.Waiting != 200 {
		t.Fatalf("%+v (%v), want 200 that wait", backlog, err)
	}
	l.work(t, 10_000)
	postgrestest.Eventually(t, "all are completed", func() bool {
		backlog, err := l.Backlog(t.Context())
		return err == nil && backlog.Waiting == 0
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, times := range l.asked {
		if times != 1 {
			t.Errorf("%s was completed %d times", key, times)
		}
	}
}

func TestAFailureIsTriedAgainAndARefusalIsNot(t *testing.T) {
	l := newLine(t)
	l.say = func(key string, nth int) (json.RawMessage, error) {
		switch {
		case key == "refused":
			return nil, apierror.New(apierror.Unprocessable, "out of stock")
		case key == "slow" && nth <= 2:
			return nil, context.DeadlineExceeded
		case key == "busy" && nth <= 2:
			return nil, apierror.New(apierror.TooManyRequests, "later")
		}
		return json.RawMessage(`{"order_id":"o"}`), nil
	}
	for _, key := range []string{"refused", "slow", "busy", "good"} {
		l.accept(t, key, `{}`)
	}
	l.work(t, 1000)
	postgrestest.Eventually(t, "each has ended", func() bool {
		return l.state(t, "refused") == queue.Refused && l.state(t, "slow") == queue.Completed &&
			l.state(t, "busy") == queue.Completed && l.state(t, "good") == queue.Completed
	})
	entry, err := l.Find(t.Context(), "refused")
	if err != nil || string(entry.Answer) != `{"code":"unprocessable","message":"out of stock"}` {
		t.Errorf("the reason is kept as %s (%v)", entry.Answer, err)
	}
	l.Expect(t, map[string]float64{
		`storefront_queue_outcomes_total{result="completed"}`: 3, `storefront_queue_outcomes_total{result="refused"}`: 1,
		`storefront_queue_outcomes_total{result="retried"}`: 4, `storefront_queue_waiting_orders`: 0,
	})
}

// An entry whose attempt was cut off by the end of the process is not lost: nobody knows what came of it, so it is asked for
// again under its key.
func TestWhatTheEndCutsOffStaysInTheQueue(t *testing.T) {
	l := newLine(t)
	l.accept(t, "k", `{}`)
	begun := make(chan struct{})
	worker, err := queue.NewWorker(queue.WorkerConfig{
		Queue: l.Queue, Log: slog.New(slog.DiscardHandler), Rate: func() float64 { return 1000 },
		Complete: func(ctx context.Context, _ queue.Entry) (json.RawMessage, error) {
			close(begun)
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- worker.Run(ctx) }()
	<-begun
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	l.close(t)
	l.open(t)
	l.work(t, 1000)
	postgrestest.Eventually(t, "it is completed by the next process", func() bool { return l.state(t, "k") == queue.Completed })
}

func TestAKeyThatNobodyAccepted(t *testing.T) {
	if _, err := newLine(t).Find(t.Context(), "k"); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("%v, want not found", err)
	}
}
