// Package temporary keeps a setting that can be changed for a time and returns to what it was by itself: whoever changed it
// may be gone by then.
package temporary

import (
	"sync"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
)

// Longest is the longest time for which a setting may be changed.
const Longest = 15 * time.Minute

// Setting is a value that may be another one for a time. Its zero value is that of T.
type Setting[T any] struct {
	mu    sync.Mutex
	usual T
	other T
	until time.Time // other holds before this
}

// New makes a setting with its usual value.
func New[T any](usual T) *Setting[T] { return &Setting[T]{usual: usual} }

// View is a setting at one moment.
type View[T any] struct {
	// Now is the value that holds, Usual the one that stays. They may be equal although Until is set.
	Now, Usual T
	// Until is when Usual holds again; zero when it does already.
	Until time.Time
}

// Set changes the usual value, and ends what holds for a time.
func (s *Setting[T]) Set(usual T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usual, s.until = usual, time.Time{}
}

// SetFor changes the value for that long; afterwards the usual one holds again, also when this replaces another change.
func (s *Setting[T]) SetFor(value T, period time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.other, s.until = value, time.Now().Add(period)
}

// View gives what holds now.
func (s *Setting[T]) View() View[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !time.Now().Before(s.until) {
		return View[T]{Now: s.usual, Usual: s.usual}
	}
	return View[T]{Now: s.other, Usual: s.usual, Until: s.until}
}

// Period reads the "for" of a request: a duration such as 60s or 2m, above 0 and at most Longest. Its error is a
// bad_request that says what to send.
func Period(text string) (time.Duration, error) {
	period, err := time.ParseDuration(text)
	if err != nil || period <= 0 || period > Longest {
		return 0, apierror.New(apierror.BadRequest, `for=%.32q: give a time above 0 and at most %s, such as "60s"`, text, Longest)
	}
	return period, nil
}
