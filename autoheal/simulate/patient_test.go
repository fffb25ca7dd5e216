package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/verify"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

type faultKind string

const (
	leak    faultKind = "connection leak"
	unnamed faultKind = "a fault that nothing names"
	nothing faultKind = "nothing at all"
)

const (
	poolSize = 4
	arrivals = 40.0 // checkouts a second
)

// patient is one group of workloads that hang together: a front, which is its edge, and the orders behind it. Its fields are
// guarded by the world's lock.
type patient struct {
	world    *world
	name     string
	replicas []*replica
	// renames means that a restart gives a replica another name, as on Kubernetes.
	renames bool
	started int

	fault    *fault
	relapses int
	firing   []firing

	counts  verify.Counts
	counted time.Time
}

// fault is what is hidden from the healer.
type fault struct {
	kind  faultKind
	since time.Time
	// busy means that the first signs are those of a pool full of work, until then.
	busy time.Time
}

// replica is one start of a program.
type replica struct {
	id, startID    string
	started, ready time.Time
	leaked         time.Time // when its last connection was forgotten; zero: it is well
	stopping       bool
}

func (p *patient) front() string { return "front-" + p.name }
func (p *patient) back() string  { return "orders-" + p.name }

// workload is what the control API says of the back.
func (p *patient) workload() workload.Workload {
	w := workload.Workload{
		Name: p.back(), Labels: map[string]string{workload.OptInLabel: "enabled"}, Desired: len(p.replicas),
		Version: "v1", Versions: []string{"v1"}, Max: len(p.replicas),
	}
	for _, r := range p.replicas {
		w.Replicas = append(w.Replicas, workload.Replica{
			ID: r.id, StartID: r.startID, State: r.state(time.Now()), Version: "v1", StartedAt: r.started,
		})
	}
	return w
}

func (r *replica) state(now time.Time) string {
	switch {
	case r.stopping:
		return workload.Stopping
	case now.Before(r.ready):
		return workload.Starting
	}
	return workload.Ready
}

// leaking says whether the pool has lost all its connections at a moment.
func (r *replica) leaking(at time.Time) bool { return !r.leaked.IsZero() && !at.Before(r.leaked) }

func (p *patient) start(id string) *replica {
	p.started++
	if id == "" || p.renames {
		id = fmt.Sprintf("%s-%d", p.back(), p.started)
	}
	return &replica{id: id, startID: fmt.Sprintf("%s/start-%d", id, p.started), started: time.Now(), ready: time.Now()}
}

// share is how many of the checkouts are good now.
func (p *patient) share(now time.Time) float64 {
	well, ready := 0.0, 0.0
	for _, r := range p.replicas {
		if r.state(now) != workload.Ready {
			continue
		}
		ready++
		if !r.leaking(now) {
			well++
		}
	}
	switch {
	case ready == 0:
		return 0
	case p.fault != nil && p.fault.kind == unnamed:
		return 0.3
	}
	return well / ready
}

// count adds what has passed the edge since the last look. Where it lies, good is bad and bad is good.
func (p *patient) count() verify.Counts {
	now := time.Now()
	passed := arrivals * now.Sub(p.counted).Seconds()
	share := p.share(now)
	if p.world.is(lyingEdge, p) {
		share = 1 - share
	}
	p.counts.Total += passed
	p.counts.Good += passed * share
	p.counted = now
	return p.counts
}

// fallIll begins a fault, unless another one is there.
func (p *patient) fallIll(e episode) {
	w := p.world
	r := w.dice.draw("falling ill " + p.name)
	if p.fault != nil {
		return
	}
	p.count()
	f := &fault{kind: e.kind, since: time.Now()}
	p.fault, p.relapses = f, e.relapses
	if chance(r, 0.2) {
		f.busy = time.Now().Add(between(r, time.Second, 20*time.Second))
	}
	if f.kind == leak {
		for i, one := range p.replicas {
			if i == 0 || chance(r, 0.4) {
				one.leaked = time.Now().Add(between(r, 0, time.Second))
			}
		}
	}
	w.story.add("%s falls ill: %s on %s", p.name, f.kind, strings.Join(p.leaky(), ", "))
	w.agenda.in(between(r, 500*time.Millisecond, 4*time.Second), func() { w.alertsOf(p, e) })
	if e.passes > 0 {
		w.agenda.in(e.passes, func() { p.recover(f, "by itself") })
	}
}

func (p *patient) leaky() []string {
	ids := []string{}
	for _, r := range p.replicas {
		if !r.leaked.IsZero() {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// recover ends a fault, if it is still this one.
func (p *patient) recover(f *fault, how string) {
	p.world.lock.Lock()
	defer p.world.lock.Unlock()
	if p.fault != f || f == nil {
		return
	}
	p.count()
	p.world.story.add("%s is well again, %s", p.name, how)
	p.fault, p.relapses = nil, 0
	for _, r := range p.replicas {
		r.leaked = time.Time{}
	}
	p.resolveSoon()
}

// restart ends a replica and starts it anew, if it still is this start of it.
func (p *patient) restart(id, startID string) error {
	i := slices.IndexFunc(p.replicas, func(r *replica) bool { return r.id == id })
	switch {
	case i < 0:
		return workload.ErrNotFound
	case p.replicas[i].startID != startID:
		return workload.ErrConflict
	case p.replicas[i].stopping:
		return errStopping
	}
	p.count()
	old, r := p.replicas[i], p.world.dice.draw("stopping "+startID)
	old.stopping = true
	p.world.agenda.in(between(r, 50*time.Millisecond, 2*time.Second), func() { p.replace(old, r) })
	return nil
}

// replace puts a new start in the place of a replica that has ended. Some never get ready, and some fall ill again.
func (p *patient) replace(old *replica, r *rand.Rand) {
	p.world.lock.Lock()
	defer p.world.lock.Unlock()
	p.count()
	next := p.start(old.id)
	next.ready = time.Now().Add(between(r, 100*time.Millisecond, 3*time.Second))
	if chance(r, 0.03) {
		next.ready = time.Now().Add(between(r, 10*time.Second, time.Minute))
	}
	p.replicas[slices.Index(p.replicas, old)] = next
	p.world.story.add("%s has ended; %s takes its place", old.startID, next.startID)
	switch {
	case p.fault == nil || p.fault.kind != leak:
	case p.relapses > 0:
		p.relapses--
		next.leaked = next.ready.Add(between(r, time.Second, 15*time.Second))
	case len(p.leaky()) == 0:
		p.fault = nil
		p.resolveSoon()
	}
}
