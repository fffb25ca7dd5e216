package simulate

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

var (
	seeds = flag.Uint64("seeds", 30, "how many seeds to run")
	from  = flag.Uint64("from", 1, "the first seed")
	only  = flag.Uint64("seed", 0, "replay this one seed, and print its whole trace")
)

// outcome is what came of one run.
type outcome struct {
	violations []violation
	story      *story
	hash       string
	incidents  int
	steps      int
	lasted     time.Duration
	deaths     map[string]int
	outcomes   map[string]int
	applied    map[string]int
	undos      map[string]int
	effects    int
}

// run plays one seed from its beginning to its end.
func run(t *testing.T, seed uint64, b bug) (o outcome) {
	t.Helper()
	dir, err := os.MkdirTemp(memory(), "simulate")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	uuid.SetRand(newChain(seed))
	defer uuid.SetRand(nil)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed, filepath.Join(dir, "store.db"), b)
		begun := time.Now()
		w.schedule()
		w.agenda.run(w.law.over)
		for _, l := range w.lives {
			l.stop("is stopped at the end")
			l.done.Wait()
		}
		if err := w.kept.Close(); err != nil {
			t.Error(err)
		}
		o = outcome{
			violations: w.law.found, story: w.story, hash: w.story.hash(), incidents: len(w.law.files), steps: w.law.steps,
			lasted: time.Since(begun), deaths: w.deaths.by, outcomes: w.outcomes.by, applied: w.applied.by, undos: w.undos.by, effects: len(w.law.effects),
		}
	})
	return o
}

// memory is a folder without a disk below it, where there is one.
func memory() string {
	const shared = "/dev/shm"
	if info, err := os.Stat(shared); err == nil && info.IsDir() {
		return shared
	}
	return ""
}

// chain is a source of bytes that depends on the seed alone.
type chain struct{ last [sha256.Size]byte }

func newChain(seed uint64) io.Reader {
	return &chain{sha256.Sum256(fmt.Appendf(nil, "%d", seed))}
}

func (c *chain) Read(p []byte) (int, error) {
	for i := 0; i < len(p); i += len(c.last) {
		c.last = sha256.Sum256(c.last[:])
		copy(p[i:], c.last[:])
	}
	return len(p), nil
}

func TestTheInvariantsHold(t *testing.T) {
	if *only != 0 {
		*seeds, *from = 1, *only
	}
	begun, total := time.Now(), outcome{deaths: map[string]int{}, outcomes: map[string]int{}, applied: map[string]int{}, undos: map[string]int{}}
	for seed := *from; seed < *from+*seeds; seed++ {
		o := run(t, seed, bug{})
		total.add(o)
		if *only != 0 {
			t.Logf("the trace of seed %d (%s):\n%s", seed, o.hash, o.story.last(len(o.story.lines)))
		}
		if len(o.violations) > 0 {
			t.Errorf("seed %d breaks %q: %s\nreplay it with: go test ./simulate -run TestTheInvariantsHold -seed %d -v\nthe end of its trace:\n%s",
				seed, o.violations[0].invariant, o.violations[0].what, seed, o.story.last(60))
		}
	}
	t.Logf("%d seeds, %d incidents, %d steps, %s of virtual time in %s: %.0f incidents a minute", *seeds, total.incidents, total.steps,
		total.lasted.Round(time.Minute), time.Since(begun).Round(time.Millisecond), float64(total.incidents)/time.Since(begun).Minutes())
	t.Logf("outcomes %v; effects on the world %v; undos %v", total.outcomes, total.applied, total.undos)
	if *seeds >= reaching {
		total.reaches(t)
	}
	t.Logf("deaths at %d different boundaries: %v", len(total.deaths), total.deaths)
}

// reaching is how many seeds reach all that a simulation should.
const reaching = 30

// reaches checks that the simulation has not lost sight of a part of the healer, which no invariant would tell.
func (o *outcome) reaches(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		remedy.RestartReplicasName, remedy.RollBackName, remedy.ScaleOutName, remedy.AcceptName, remedy.DeferPaymentName, remedy.EndSessionName,
		remedy.CancelQueryName,
	} {
		if o.applied[name] == 0 {
			t.Errorf("%s has never changed anything: does the world still make facts that name its cause?", name)
		}
	}
	for _, name := range incident.Outcomes() {
		if o.outcomes[string(name)] == 0 {
			t.Errorf("no incident has ended %s", name)
		}
	}
}

func (o *outcome) add(other outcome) {
	o.incidents += other.incidents
	o.steps += other.steps
	o.lasted += other.lasted
	o.effects += other.effects
	for _, each := range []struct{ mine, theirs map[string]int }{
		{o.deaths, other.deaths}, {o.outcomes, other.outcomes}, {o.applied, other.applied}, {o.undos, other.undos},
	} {
		for what, n := range each.theirs {
			each.mine[what] += n
		}
	}
}

func TestASeedGivesTheSameRunEachTime(t *testing.T) {
	for seed := *from; seed < *from+5; seed++ {
		first, second := run(t, seed, bug{}), run(t, seed, bug{})
		if first.hash != second.hash {
			t.Errorf("seed %d: %s", seed, difference(first.story, second.story))
		}
	}
}

// difference shows where two traces part.
func difference(a, b *story) string {
	for i := range min(len(a.lines), len(b.lines)) {
		if a.lines[i] != b.lines[i] {
			return fmt.Sprintf("line %d:\n%s\n%s", i+1, a.lines[i], b.lines[i])
		}
	}
	return fmt.Sprintf("one has %d lines, the other %d", len(a.lines), len(b.lines))
}
