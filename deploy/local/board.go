package local

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/supervisor"
)

// patience is how long a start may be silent before a line says what it waits for.
const patience = 5 * time.Second

// board turns the progress of the parts into lines.
type board struct {
	mu       sync.Mutex
	out      io.Writer
	starting map[string]time.Time
}

func newBoard(out io.Writer) *board {
	return &board{out: out, starting: map[string]time.Time{}}
}

func (b *board) show(p supervisor.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.Phase == supervisor.PhaseStarting {
		b.starting[p.Part] = time.Now()
		return
	}
	delete(b.starting, p.Part)
	fmt.Fprintf(b.out, "  %-15s %-8s %5.1f s\n", p.Part, p.Phase, p.Took.Seconds())
}

// during runs start and says now and then what it waits for.
func (b *board) during(start func() error) error {
	done := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() {
		ticker := time.NewTicker(patience)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				b.remind()
			}
		}
	})
	defer ticking.Wait()
	defer close(done)
	return start()
}

func (b *board) remind() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.starting) == 0 {
		return
	}
	var waiting []string
	for _, part := range slices.Sorted(maps.Keys(b.starting)) {
		waiting = append(waiting, fmt.Sprintf("%s (%.0f s)", part, time.Since(b.starting[part]).Seconds()))
	}
	fmt.Fprintf(b.out, "  waiting for %s\n", strings.Join(waiting, ", "))
}
