package mode

import (
	"sync"
	"time"
)

// Held is a value that somebody asked for, or the usual one.
type Held[V any] struct {
	Value V
	// Until is when the usual value holds again, and By who asked; both are zero for the usual value.
	Until time.Time
	By    string
}

// Change asks for a value.
type Change[V any] struct {
	Value V
	// If is the value that the asker takes for the present one.
	If V
	// For is how long the value is to hold. It does not count for the usual value, which stays.
	For time.Duration
	By  string
}

// hold is a value that may be another one for a time.
type hold[V any] struct {
	usual V
	same  func(a, b V) bool
	// ended is told of a value whose time ran out.
	ended func(Held[V])

	mu    sync.Mutex
	now   Held[V]
	timer *time.Timer
}

func newHold[V any](usual V, same func(a, b V) bool, ended func(Held[V])) *hold[V] {
	return &hold[V]{usual: usual, same: same, ended: ended, now: Held[V]{Value: usual}}
}

// view gives what holds at this moment, also when the timer is late.
func (h *hold[V]) view() Held[V] {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.current()
}

func (h *hold[V]) current() Held[V] {
	if h.now.Until.IsZero() || time.Now().Before(h.now.Until) {
		return h.now
	}
	return Held[V]{Value: h.usual}
}

// set changes the value, or renews its time where it is the one asked for already. It returns what held before, and false
// when that is neither the value asked for nor the one that the asker took for the present one: nothing is changed then.
func (h *hold[V]) set(change Change[V]) (before Held[V], done bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before = h.current()
	if !h.same(before.Value, change.Value) && !h.same(before.Value, change.If) {
		return before, false
	}
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
	h.now = Held[V]{Value: change.Value}
	if !h.same(change.Value, h.usual) {
		h.now.Until, h.now.By = time.Now().Add(change.For), change.By
		h.timer = time.AfterFunc(change.For, h.expire)
	}
	return before, true
}

// expire ends what has run out. A timer that was stopped too late meets a value that was renewed, and leaves it.
func (h *hold[V]) expire() {
	h.mu.Lock()
	over := h.now
	if over.Until.IsZero() || time.Now().Before(over.Until) {
		h.mu.Unlock()
		return
	}
	h.now = Held[V]{Value: h.usual}
	h.mu.Unlock()
	h.ended(over)
}
