package mode

import (
	"maps"
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
	// Key names the change. What has asked for the usual value with it is not made another one by it any more.
	Key string
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
	// takenBack is, by key, when a change was taken back: a request for it may arrive after.
	takenBack map[string]time.Time
}

// remembered is how long it is remembered that a change was taken back; no request is on its way that long.
const remembered = 30 * time.Minute

func newHold[V any](usual V, same func(a, b V) bool, ended func(Held[V])) *hold[V] {
	return &hold[V]{usual: usual, same: same, ended: ended, now: Held[V]{Value: usual}, takenBack: map[string]time.Time{}}
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

// answer is what came of a change.
type answer int

const (
	changed answer = iota // or renewed
	// another value holds than the one asked for and the one that the asker took for the present one.
	another
	// late is a request that was so long on its way that the change has been taken back meanwhile.
	late
)

// set changes the value, or renews its time where it is the one asked for already. It returns what held before.
func (h *hold[V]) set(change Change[V]) (before Held[V], came answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before = h.current()
	if h.isLate(change) {
		return before, late
	}
	if !h.same(before.Value, change.Value) && !h.same(before.Value, change.If) {
		return before, another
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
	return before, changed
}

// isLate says whether the change of this key was taken back before the request for it arrived. It is called with the lock.
func (h *hold[V]) isLate(change Change[V]) bool {
	now := time.Now()
	maps.DeleteFunc(h.takenBack, func(_ string, at time.Time) bool { return now.Sub(at) > remembered })
	if change.Key == "" {
		return false
	}
	if h.same(change.Value, h.usual) {
		h.takenBack[change.Key] = now
		return false
	}
	_, gone := h.takenBack[change.Key]
	return gone
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
