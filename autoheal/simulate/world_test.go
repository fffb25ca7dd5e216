package simulate

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/faultline-lab/faultline/autoheal/correlate"
	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// deliveries is where the webhook persists.
type deliveries interface {
	SaveDelivery(ctx context.Context, d store.Delivery) (store.Counts, error)
}

// world is everything around the healers of one run.
type world struct {
	plan   plan
	bug    bug
	dice   *dice
	story  *story
	agenda *agenda
	law    *law

	kept         *store.Store
	deliveries   deliveries
	book         playbook.Playbook
	dependencies correlate.Map
	traces       *traces

	lock       sync.Mutex
	patients   []*patient
	conditions map[condition][]*patient
	since      map[condition]time.Time
	lapsed     map[string]time.Time // when a change of a target last went back by itself
	resting    bool
	clock      time.Duration // how far the machine's clock is off
	path       string        // of the store

	lives  []*life
	alive  []*life
	deaths tally
	// sending is how many deliveries are on their way; outcomes counts the ends.
	sending  int
	outcomes tally
	applied  tally
	undos    tally
}

// tally counts by name.
type tally struct {
	mu sync.Mutex
	by map[string]int
}

func (t *tally) add(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = map[string]int{}
	}
	t.by[name]++
}

func newWorld(t testing.TB, seed uint64, path string, b bug) *world {
	t.Helper()
	kept, err := store.Open(context.Background(), store.Config{Path: path, Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		plan: newPlan(seed), bug: b, dice: newDice(seed), story: newStory(), agenda: newAgenda(), path: path, kept: kept, deliveries: kept,
		conditions: map[condition][]*patient{}, since: map[condition]time.Time{}, lapsed: map[string]time.Time{}, traces: &traces{},
	}
	w.law = newLaw(w)
	if b.deliveries != nil {
		w.deliveries = b.deliveries(w, kept)
	}
	if w.book, err = ladders(w.plan.limits); err != nil {
		t.Fatal(err)
	}
	declared := "version: 1\nworkloads:\n"
	for i := range w.plan.patients {
		p := newPatient(w, string(rune('a'+i)), 2, i%3 == 2)
		w.patients = append(w.patients, p)
		declared += fmt.Sprintf("  %[1]s: {depends_on: [%[2]s, %[2]s-standby]}\n  %[2]s: {depends_on: [%[3]s]}\n  %[2]s-standby: {depends_on: [%[3]s]}\n  %[3]s: {}\n",
			p.front(), p.back(), p.payments())
	}
	if w.dependencies, err = correlate.Parse("the simulated map", []byte(declared)); err != nil {
		t.Fatal(err)
	}
	w.story.add("seed %d: %s", seed, w.plan)
	return w
}

// schedule puts the plan on the agenda.
func (w *world) schedule() {
	for _, e := range w.plan.episodes {
		p := w.patients[e.patient]
		w.agenda.in(e.at, func() {
			w.lock.Lock()
			defer w.lock.Unlock()
			p.fallIll(e)
		})
	}
	for _, win := range w.plan.windows {
		p := w.patients[win.patient]
		w.agenda.in(win.from, func() { w.begin(win.what, p) })
		w.agenda.in(win.until, func() { w.cease(win.what, p) })
	}
	w.agenda.in(0, func() { w.beBorn() })
	for i := range w.plan.twins {
		r := w.dice.draw("twins")
		w.agenda.in(between(r, time.Second, w.plan.lasts), func() {
			w.story.add("a twin is started (%d)", i)
			w.beBorn()
		})
	}
	w.agenda.in(w.plan.lasts, w.rest)
}

func (w *world) begin(what condition, p *patient) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.story.add("from now on %s (%s)", what, p.name)
	if len(w.conditions[what]) == 0 {
		w.since[what] = time.Now()
	}
	w.conditions[what] = append(w.conditions[what], p)
	if what == paused {
		w.pause(&store.Pause{By: "somebody", Reason: "a seed", At: time.Now()})
	}
	if what == deadScrape && len(p.firing) > 0 {
		w.send(p.firing, "resolved", w.dice.hair())
	}
}

func (w *world) cease(what condition, p *patient) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.story.add("no longer: %s (%s)", what, p.name)
	i := slices.Index(w.conditions[what], p)
	w.conditions[what] = slices.Delete(w.conditions[what], i, i+1)
	if what == paused && len(w.conditions[what]) == 0 {
		w.pause(nil)
	}
}

// is says whether something is so; for one patient, or for all where nil. It is called with the lock.
func (w *world) is(what condition, p *patient) bool {
	return len(w.conditions[what]) > 0 && (p == nil || slices.Contains(w.conditions[what], p))
}

// sinceWhen says since when something has been so; zero where it is not. It is called with the lock.
func (w *world) sinceWhen(what condition) time.Time {
	if !w.is(what, nil) {
		return time.Time{}
	}
	return w.since[what]
}

// diskFails says whether a write fails.
func (w *world) diskFails(r *rand.Rand) bool {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.is(fullDisk, nil) && chance(r, 0.7)
}

func (w *world) patientOf(name string) *patient {
	own, _, _ := strings.Cut(name, ".")
	for _, p := range w.patients {
		if p.name == own {
			return p
		}
	}
	return w.patients[0]
}

// rest is the end of the adversary: one healer is left, and people mend what it handed over.
func (w *world) rest() {
	w.story.add("the adversary rests")
	w.lock.Lock()
	w.resting = true
	w.lock.Unlock()
	w.leaveOne()
	for _, p := range w.patients {
		p.recover(p.fault, "since people mended it")
		w.lock.Lock()
		p.resolveSoon()
		w.lock.Unlock()
	}
	w.agenda.in(w.plan.rest, func() { w.law.late() })
	w.look()
}

// look sees every few seconds whether all has ended.
func (w *world) look() {
	if !w.law.ended() {
		w.agenda.in(5*time.Second, w.look)
	}
}

func (w *world) engineFor(l *life) (*engine.Engine, error) {
	var kept engine.Store = records{w.kept, l}
	if w.bug.store != nil {
		kept = w.bug.store(w, kept)
	}
	var seen engine.Senses = senses{l}
	if w.bug.senses != nil {
		seen = w.bug.senses(w, seen)
	}
	remedies, err := remediesOf(l)
	if err != nil {
		return nil, err
	}
	cfg := engine.Config{
		Store: kept, Senses: seen, Edge: edgeOf{l}, Remedies: remedies, Playbook: w.book, Map: w.dependencies,
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Tracer: w.traces.tracer(),
		Switch: l.killSwitch, Limits: w.plan.limits, Tick: w.plan.tick, Stabilise: w.plan.stabilise, Now: l.now,
	}
	if w.bug.engine != nil {
		w.bug.engine(&cfg)
	}
	return engine.New(cfg)
}
