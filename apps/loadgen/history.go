package loadgen

import (
	"slices"
	"sync"
	"time"
)

// kept is how many finished seconds can be read back.
const kept = 30 * 60

// History holds the finished seconds. Readers take what they have not seen at their own pace and wait on a channel, so
// none of them can hold up the load.
type History struct {
	mu      sync.Mutex
	seconds []Second
	more    chan struct{}
}

// NewHistory returns an empty one.
func NewHistory() *History { return &History{more: make(chan struct{})} }

// Add appends a second and wakes those who wait. A wall clock that was set back makes seconds come twice: the later
// account replaces the earlier.
func (h *History) Add(second Second) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seconds = h.seconds[:h.at(second.Second)]
	if len(h.seconds) == kept {
		h.seconds = slices.Delete(h.seconds, 0, 1)
	}
	h.seconds = append(h.seconds, second)
	close(h.more)
	h.more = make(chan struct{})
}

// From returns the seconds at or after since, oldest first, and a channel that is closed when there are more.
func (h *History) From(since time.Time) ([]Second, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.seconds[h.at(since):]), h.more
}

// at is the index of the first second at or after since.
func (h *History) at(since time.Time) int {
	index, _ := slices.BinarySearchFunc(h.seconds, since, func(s Second, t time.Time) int { return s.Second.Compare(t) })
	return index
}
