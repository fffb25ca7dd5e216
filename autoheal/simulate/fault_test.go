package simulate

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

type faultKind string

// The faults: each cause that can be named, and three that have none.
const (
	leak       faultKind = "connection-leak"
	release    faultKind = "bad-release"
	locked     faultKind = "lock-contention"
	slowQuery  faultKind = "slow-query"
	latency    faultKind = "network-latency"
	serverFull faultKind = "server-cap"
	downstream faultKind = "slow-downstream"
	surge      faultKind = "traffic-surge"
	unnamed    faultKind = "a fault that nothing names"
	lookAlike  faultKind = "a batch that hurts nobody"
	nothing    faultKind = "nothing at all"
)

// fault is what is hidden from the healer.
type fault struct {
	kind  faultKind
	since time.Time
	// busy means that until then the signs are those of a pool full of work.
	busy time.Time
	// old means that the release is too old to be in evidence.
	old bool
}

func (f *fault) String() string {
	if f == nil {
		return "well"
	}
	return string(f.kind)
}

// spoil is which share of the checkouts stays good under a fault, with what stands against it.
func (f *fault) spoil(p *patient, good float64) float64 {
	switch {
	case f.kind == leak || f.kind == release || f.kind == lookAlike || f.kind == nothing:
		return good
	case f.kind == downstream && p.edge.mode == edge.DeferPayment:
		return good
	case f.kind == surge && (p.edge.mode == edge.Shed || p.orders.desired > p.orders.usual):
		return good
	}
	return 0.3 * good
}

// needsSessions says that the fault consists of sessions.
func (f *fault) sessions() (application string, n int) {
	switch f.kind {
	case locked:
		return "stock-count/1", 1
	case serverFull:
		return "batch-export/1", 16
	case slowQuery:
		return "", poolSize
	}
	return "", 0
}

// fallIll begins a fault, unless another one is there.
func (p *patient) fallIll(e episode) {
	w := p.world
	r := w.dice.draw("falling ill " + p.name)
	if p.fault != nil {
		return
	}
	p.count()
	f := &fault{kind: e.kind, since: time.Now(), old: e.old}
	if chance(r, 0.2) {
		f.busy = time.Now().Add(between(r, time.Second, 20*time.Second))
	}
	p.fault, p.relapses = f, e.relapses
	switch e.kind {
	case leak:
		for i, one := range p.orders.replicas {
			if i == 0 || chance(r, 0.4) {
				one.leaked = time.Now().Add(between(r, 0, time.Second))
			}
		}
	case release:
		p.orders.deploy(fmt.Sprintf("v%d", len(p.orders.versions)+1))
		for _, one := range p.orders.replicas {
			one.leaked = time.Now().Add(between(r, 0, 2*time.Second))
		}
	}
	p.openSessions(f)
	w.story.add("%s falls ill: %s", p.name, p)
	w.agenda.in(between(r, 500*time.Millisecond, 4*time.Second), func() { w.alertsOf(p, e) })
	if e.passes > 0 {
		w.agenda.in(e.passes, func() { p.recover(f, "by itself") })
	}
}

// openSessions opens the sessions that a fault consists of.
func (p *patient) openSessions(f *fault) {
	application, n := f.sessions()
	if f.kind == slowQuery {
		application = p.back() + "/" + p.orders.replicas[0].id
	}
	for range n {
		p.pids++
		p.sessions = append(p.sessions, incident.Session{
			PID: p.pids, BackendStart: time.Now().Add(-time.Minute), QueryStart: time.Now(), Application: application, Statement: "SELECT 1",
		})
	}
}

// recover ends a fault, if it is still this one.
func (p *patient) recover(f *fault, how string) {
	p.world.lock.Lock()
	defer p.world.lock.Unlock()
	if p.fault != f || f == nil {
		return
	}
	p.count()
	p.well(how)
	p.sessions = nil
	for _, r := range p.orders.replicas {
		r.leaked = time.Time{}
	}
}

// well is the end of a fault.
func (p *patient) well(how string) {
	p.world.story.add("%s is well again, %s", p.name, how)
	p.fault, p.relapses = nil, 0
	p.resolveSoon()
}

// leaksAgain says whether a new replica falls ill like the one before it.
func (p *patient) leaksAgain(next *replica) bool {
	switch {
	case p.fault == nil:
		return false
	case p.fault.kind == release:
		return next.version == p.orders.versions[len(p.orders.versions)-1]
	case p.fault.kind == leak && p.relapses > 0:
		p.relapses--
		return true
	}
	return false
}
