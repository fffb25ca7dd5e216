package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// story is what happened, line by line. Its hash tells two runs apart.
type story struct {
	mu    sync.Mutex
	begun time.Time
	lines []string
	sum   hash.Hash
}

func newStory() *story { return &story{begun: time.Now(), sum: sha256.New()} }

func (t *story) add(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := fmt.Sprintf("%14.6f  %s", time.Since(t.begun).Seconds(), fmt.Sprintf(format, args...))
	t.lines = append(t.lines, line)
	t.sum.Write([]byte(line + "\n"))
}

func (t *story) hash() string { return hex.EncodeToString(t.sum.Sum(nil))[:16] }

// last returns the end of the trace.
func (t *story) last(lines int) string {
	return strings.Join(t.lines[max(0, len(t.lines)-lines):], "\n")
}

// dice draws for those who call at the same time. What somebody draws depends on who he is and how often he has drawn before,
// never on who was faster: that is what makes a run repeatable although the engine's workers run side by side.
type dice struct {
	mu    sync.Mutex
	seed  uint64
	drawn map[string]uint64
}

func newDice(seed uint64) *dice { return &dice{seed: seed, drawn: map[string]uint64{}} }

func (d *dice) draw(who string) *rand.Rand {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drawn[who]++
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%d", who, d.drawn[who])
	return rand.New(rand.NewPCG(d.seed, h.Sum64()))
}

// between draws a duration. Drawn to the nanosecond, no two calls of a run end at the same instant, so that their order in
// virtual time is the only order there is.
func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)+1))
}

func chance(r *rand.Rand, share float64) bool { return r.Float64() < share }

// hair is a moment so short that it only keeps things apart.
func (d *dice) hair() time.Duration {
	return between(d.draw("hair"), time.Microsecond, 20*time.Millisecond)
}
