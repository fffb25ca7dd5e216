package loadgen

import (
	"sync"
	"time"
)

// book counts seconds. A second is finished when it is over and every request of it has ended; seconds come out in
// order, so one that is slow to end holds back the ones after it, by a client deadline at most.
type book struct {
	mu     sync.Mutex
	open   []*tally
	finish func(Second)
}

// newBook gives each finished second to finish, in order, one at a time.
func newBook(finish func(Second)) *book { return &book{finish: finish} }

// begin opens a second in which that many requests will be sent. Seconds are begun in order.
func (b *book) begin(start time.Time, requests int) *tally {
	t := &tally{start: start, planned: requests, answers: map[Outcome]int{}}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = append(b.open, t)
	return t
}

// ended counts one request's answer.
func (b *book) ended(t *tally, answer Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t.add(answer)
}

// close gives out what is finished at now. It is called after each answer and at the end of each second: a second with
// nothing to wait for is not finished before it is over.
func (b *book) close(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.open) > 0 {
		first := b.open[0]
		if first.ended < first.planned || now.Before(first.start.Add(time.Second)) {
			return
		}
		b.open = b.open[1:]
		b.finish(first.second())
	}
}
