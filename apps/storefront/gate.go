package storefront

import (
	"sync"
	"time"
)

// gate lets a number of checkouts a second through, evenly: what is not used within a tenth of a second is lost, so that
// a lull is not followed by a burst.
type gate struct {
	mu     sync.Mutex
	tokens float64
	filled time.Time
}

// admits says whether one more may pass.
func (g *gate) admits(now time.Time, perSecond int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	room := max(1, float64(perSecond)/10)
	g.tokens = min(room, g.tokens+now.Sub(g.filled).Seconds()*float64(perSecond))
	g.filled = now
	if g.tokens < 1 {
		return false
	}
	g.tokens--
	return true
}
