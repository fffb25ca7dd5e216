package queue

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
)

// WorkerConfig is what a Worker needs; the durations have defaults.
type WorkerConfig struct {
	Queue *Queue
	// Complete places the order of an entry, under its key, and gives what orders answered.
	Complete func(context.Context, Entry) (json.RawMessage, error)
	// Rate is how many entries a second may be begun at this moment; above 0.
	Rate func() float64
	Log  *slog.Logger
	// Pause is how long an entry waits after its first failure, twice as long after the next, and so on; 500 ms by default.
	Pause time.Duration
	// Keep is how long an entry that has ended is remembered; a day by default.
	Keep time.Duration
}

// Bounds of a worker. As many entries may be in work as a drain begins in a second.
const (
	maxInWork  = 16
	maxPause   = 10 * time.Second
	idleLook   = time.Second
	forgetTick = 10 * time.Minute
)

func (c *WorkerConfig) defaults() error {
	if c.Queue == nil || c.Complete == nil || c.Rate == nil || c.Log == nil {
		return errors.New("queue: a worker needs Queue, Complete, Rate and Log")
	}
	if c.Pause == 0 {
		c.Pause = 500 * time.Millisecond
	}
	if c.Keep == 0 {
		c.Keep = 24 * time.Hour
	}
	return nil
}

// Worker completes accepted orders. It asks at least once; orders makes one order of each key, so each is placed once.
type Worker struct {
	WorkerConfig
	silent bool // the last look failed, and the log has it
	forgot time.Time

	mu       sync.Mutex
	inWork   map[int64]bool
	attempts sync.WaitGroup
}

// NewWorker makes a Worker; Run works it.
func NewWorker(cfg WorkerConfig) (*Worker, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	return &Worker{WorkerConfig: cfg, inWork: map[int64]bool{}}, nil
}

// Run begins entries at the rate until ctx ends, and then waits for those in work. It returns nil. An attempt that the end
// cuts off has said nothing; its entry is tried again by the next process.
func (w *Worker) Run(ctx context.Context) error {
	defer w.attempts.Wait()
	for {
		begun := w.begin(ctx)
		w.tidy(ctx)
		if !w.pause(ctx, begun) {
			return nil
		}
	}
}

// pause waits for the next turn: by the rate after an entry was begun, else for something to do. False when ctx has ended.
func (w *Worker) pause(ctx context.Context, begun bool) bool {
	wait, wake := time.Duration(float64(time.Second)/w.Rate()), w.Queue.wake
	if begun {
		wake = nil
	} else {
		wait = idleLook
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-wake:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// begin takes one entry into work; false when there is none, or no hand is free.
func (w *Worker) begin(ctx context.Context) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.inWork) >= maxInWork {
		return true // at the next turn a hand may be free
	}
	entry, found, err := w.Queue.due(ctx, time.Now(), w.inWork)
	if err != nil {
		if !w.silent && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "the queue of accepted orders cannot be read; trying again", "error", err)
			w.silent = true
		}
		return false
	}
	w.silent = false
	if !found {
		return false
	}
	w.inWork[entry.ID] = true
	w.attempts.Go(func() {
		w.attempt(withTraceparent(ctx, entry.Traceparent), entry)
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.inWork, entry.ID)
	})
	return true
}

func (w *Worker) attempt(ctx context.Context, entry Entry) {
	answer, err := w.Complete(ctx, entry)
	did := outcomeOf(err)
	if did == retried && ctx.Err() != nil {
		return // cut off by our own end, which says nothing about the order
	}
	w.Queue.outcomes.Add(ctx, did, 1)
	switch did {
	case completed:
		err = w.Queue.end(ctx, entry, Completed, answer)
	case refused:
		known := apierror.From(err)
		w.Log.InfoContext(ctx, "accepted order refused", "order_key", entry.Key, "error_code", known.Code, "error", err)
		// Two strings always encode.
		reason, _ := json.Marshal(Refusal{Code: known.Code, Message: known.Message})
		err = w.Queue.end(ctx, entry, Refused, reason)
	default:
		w.Log.WarnContext(ctx, "accepted order not completed; it is tried again", "order_key", entry.Key, "attempt", entry.Attempts+1, "error", err)
		err = w.Queue.postpone(ctx, entry, time.Now().Add(w.backoff(entry.Attempts)))
	}
	if err != nil && ctx.Err() == nil {
		w.Log.ErrorContext(ctx, "what became of an accepted order was not written; it is asked for again", "order_key", entry.Key, "error", err)
	}
}

// backoff is the pause after a failure that has so many before it.
func (w *Worker) backoff(attempts int) time.Duration {
	return min(maxPause, w.Pause<<min(attempts, 10))
}

// tidy forgets old entries now and then.
func (w *Worker) tidy(ctx context.Context) {
	if time.Since(w.forgot) < forgetTick {
		return
	}
	w.forgot = time.Now()
	if err := w.Queue.forget(ctx, w.forgot.Add(-w.Keep)); err != nil && ctx.Err() == nil {
		w.Log.WarnContext(ctx, "old entries of the queue not removed; trying again later", "error", err)
	}
}

// Refusal is the Answer of an entry that orders refused.
type Refusal struct {
	Code    apierror.Code `json:"code"`
	Message string        `json:"message"`
}

// final says that orders would refuse the order again, however often it is asked.
func final(err error) bool {
	code := apierror.From(err).Code
	return code.Status() < http.StatusInternalServerError && code != apierror.TooManyRequests
}
