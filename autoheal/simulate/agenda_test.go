package simulate

import (
	"container/heap"
	"sync"
	"time"
)

// agenda is what will happen without the healer, in the order of its time. All of it happens in one goroutine.
type agenda struct {
	mu      sync.Mutex
	due     events
	changed chan struct{}
}

type event struct {
	at time.Time
	do func()
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func newAgenda() *agenda { return &agenda{changed: make(chan struct{}, 1)} }

// in has something happen after a while. Whoever calls never waits.
func (a *agenda) in(d time.Duration, do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	heap.Push(&a.due, event{time.Now().Add(d), do})
	select {
	case a.changed <- struct{}{}:
	default: // it is looked at anyway
	}
}

// next takes the first event out if its time has come; else it says when that is.
func (a *agenda) next() (do func(), wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.due) == 0 {
		return nil, time.Hour
	}
	if wait := time.Until(a.due[0].at); wait > 0 {
		return nil, wait
	}
	return heap.Pop(&a.due).(event).do, 0
}

// run lets things happen until it is over.
func (a *agenda) run(over func() bool) {
	for !over() {
		do, wait := a.next()
		if do != nil {
			do()
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-a.changed:
		}
		timer.Stop()
	}
}
