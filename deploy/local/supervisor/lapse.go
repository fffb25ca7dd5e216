package supervisor

import (
	"fmt"
	"maps"
	"time"
)

// Lapse is when a scale ends by itself, and what follows.
type Lapse struct {
	For time.Duration
	// BackTo is the number of replicas that follows; nil is the one that was wanted before the first of such changes.
	BackTo *int
}

// Bounds of a lapse.
const (
	ShortestLapse = time.Second
	LongestLapse  = 30 * time.Minute
)

// lapse is a scale that will end.
type lapse struct {
	backTo int
	until  time.Time
	timer  *time.Timer
}

func (w *workload) scale(replicas int, ends *Lapse, key string) error {
	if err := w.possible(replicas); err != nil {
		return err
	}
	if ends != nil && (ends.For < ShortestLapse || ends.For > LongestLapse) {
		return fmt.Errorf("%w: for must be from %s to %s, not %s", ErrInvalid, ShortestLapse, LongestLapse, ends.For)
	}
	if ends != nil && ends.BackTo != nil {
		if err := w.possible(*ends.BackTo); err != nil {
			return err
		}
	}
	if err := w.inTime(ends, key); err != nil {
		return err
	}
	return w.change(func(wanted *want) {
		before := wanted.replicas
		wanted.replicas = replicas
		w.lapseAfter(ends, before)
	})
}

// inTime refuses a scale whose key was taken back before it arrived.
func (w *workload) inTime(ends *Lapse, key string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(w.takenBack, func(_ string, at time.Time) bool { return now.Sub(at) > LongestLapse })
	if ends == nil && key != "" {
		w.takenBack[key] = now
	}
	if _, gone := w.takenBack[key]; ends != nil && gone {
		return fmt.Errorf("%w: the scale of key %s was taken back before this request for it arrived", ErrConflict, key)
	}
	return nil
}

func (w *workload) possible(replicas int) error {
	if replicas < 0 || replicas > w.def.Max {
		return fmt.Errorf("%w: %s can have 0 to %d replicas, not %d", ErrInvalid, w.name, w.def.Max, replicas)
	}
	return nil
}

// lapseAfter replaces the end that was foreseen, if any, by another one, or by none. The caller holds the mutex.
func (w *workload) lapseAfter(ends *Lapse, before int) {
	if w.lapse != nil {
		w.lapse.timer.Stop()
		before = w.lapse.backTo
		w.lapse = nil
	}
	if ends == nil {
		return
	}
	if ends.BackTo != nil {
		before = *ends.BackTo
	}
	next := &lapse{backTo: before, until: time.Now().Add(ends.For)}
	next.timer = time.AfterFunc(ends.For, func() { w.goBack(next) })
	w.lapse = next
}

// goBack is the end of a scale that nobody renewed.
func (w *workload) goBack(over *lapse) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lapse != over || w.sup.keepers.Err() != nil {
		return // renewed meanwhile, or the stack is being stopped
	}
	w.lapse, w.wanted.replicas = nil, over.backTo
	w.sup.cfg.Log.Warn("scale ran out and nobody renewed it", "workload", w.name, "replicas", over.backTo)
	w.nudge()
}
