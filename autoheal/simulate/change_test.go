package simulate

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// edgeNow is how the edge stands, and until when.
type edgeNow struct {
	mode, modeBy string
	modeUntil    *time.Time
	admit        float64

	weights      edge.Weights
	weightsBy    string
	weightsUntil *time.Time
}

func (e *edgeNow) reset() { *e = edgeNow{mode: edge.Normal, weights: edge.Usual()} }

// settle takes back what has lapsed by now. It is called before anybody looks.
func (p *patient) settle() {
	now := time.Now()
	over := func(until *time.Time) bool { return until != nil && !now.Before(*until) }
	if over(p.edge.modeUntil) {
		p.world.lapses("mode", p.front())
		p.edge.mode, p.edge.modeBy, p.edge.modeUntil = edge.Normal, "", nil
	}
	if over(p.edge.weightsUntil) {
		p.world.lapses("weights", p.front())
		p.edge.weights, p.edge.weightsBy, p.edge.weightsUntil = edge.Usual(), "", nil
	}
	for _, f := range []*fleet{&p.orders, &p.standby} {
		if over(f.back) {
			p.world.lapses("scale", f.name)
			f.back = nil
			f.scale(f.usual)
		}
	}
}

func (p *patient) edgeState() *edge.State {
	p.settle()
	stable, _ := p.orders.ready(time.Now())
	standby, _ := p.standby.ready(time.Now())
	e := p.edge
	return &edge.State{
		Mode: e.mode, ModeUntil: e.modeUntil, ModeBy: e.modeBy, Admit: e.admit, Weights: e.weights, WeightsUntil: e.weightsUntil,
		WeightsBy: e.weightsBy, Backends: edge.Backends{Stable: int(stable), Standby: int(standby)},
	}
}

// restart ends a replica and starts it anew, if it still is this start of it.
func (f *fleet) restart(id, startID string) (changed bool, err error) {
	i := slices.IndexFunc(f.replicas, func(r *replica) bool { return r.id == id })
	switch {
	case i < 0:
		return false, workload.ErrNotFound
	case f.replicas[i].startID != startID:
		return false, workload.ErrConflict
	case f.replicas[i].stopping:
		return false, nil
	}
	f.stop(f.replicas[i])
	return true, nil
}

// stop ends a replica after a while, and has another start take its place.
func (f *fleet) stop(old *replica) {
	f.patient.count()
	r := f.patient.world.dice.draw("stopping " + old.startID)
	old.stopping = true
	f.patient.world.agenda.in(between(r, 50*time.Millisecond, 2*time.Second), func() { f.replace(old, r) })
}

// replace puts a new start in the place of a replica that has ended. Some take long to get ready, and some fall ill again.
func (f *fleet) replace(old *replica, r *rand.Rand) {
	p := f.patient
	p.world.lock.Lock()
	defer p.world.lock.Unlock()
	at := slices.Index(f.replicas, old)
	if at < 0 {
		return // scaled away meanwhile
	}
	p.count()
	next := f.start(old.id)
	next.ready = time.Now().Add(between(r, 100*time.Millisecond, 3*time.Second))
	if chance(r, 0.03) {
		next.ready = time.Now().Add(between(r, 10*time.Second, time.Minute))
	}
	f.replicas[at] = next
	p.world.story.add("%s has ended; %s of %s takes its place", old.startID, next.startID, next.version)
	if p.leaksAgain(next) {
		next.leaked = next.ready.Add(between(r, time.Second, 15*time.Second))
	}
	if p.fault != nil && (p.fault.kind == leak || p.fault.kind == release) && len(p.leaky()) == 0 {
		p.well("since no replica leaks any more")
	}
}

// scale makes the number of replicas what is wanted.
func (f *fleet) scale(to int) {
	f.desired = to
	r := f.patient.world.dice.draw("scaling " + f.name)
	for len(f.replicas) < to {
		next := f.start("")
		next.ready = time.Now().Add(between(r, 100*time.Millisecond, 3*time.Second))
		f.replicas = append(f.replicas, next)
	}
	f.replicas = f.replicas[:to]
}

// scaleTo is a request to scale, for a time where back is given.
func (f *fleet) scaleTo(from, to int, back *time.Time, key string) (changed bool, err error) {
	f.patient.count()
	if f.patient.late(key, to == f.usual) {
		return false, workload.ErrConflict
	}
	if f.desired != from && f.desired != to {
		return false, workload.ErrConflict
	}
	changed = f.desired != to
	f.back = back
	f.scale(to)
	return changed, nil
}

// deploy brings a version out.
func (f *fleet) deploy(version string) {
	f.version, f.released = version, time.Now()
	f.versions = append(f.versions, version)
	for i := range f.replicas {
		next := f.start(f.replicas[i].id)
		f.replicas[i] = next
	}
}

// rollBack puts another version in place, one replica after the other.
func (f *fleet) rollBack(from, to string) (changed bool, err error) {
	switch {
	case f.version == to:
		return false, nil
	case f.version != from:
		return false, workload.ErrConflict
	}
	f.version = to
	for _, r := range f.replicas {
		if !r.stopping {
			f.stop(r)
		}
	}
	return true, nil
}

// late says whether a change has been taken back before this request for it; whoever carries changes remembers their keys.
func (p *patient) late(key string, usual bool) bool {
	if usual {
		p.takenBack[key] = true
	}
	return !usual && p.takenBack[key]
}

// setMode asks for a mode.
func (p *patient) setMode(c edge.ModeChange) (changed bool, err error) {
	p.count()
	if p.late(c.Key, c.Mode == edge.Normal) {
		return false, workload.ErrConflict
	}
	if p.edge.mode != c.If && p.edge.mode != c.Mode {
		return false, workload.ErrConflict
	}
	changed = p.edge.mode != c.Mode
	p.edge.mode, p.edge.modeBy, p.edge.modeUntil, p.edge.admit = c.Mode, c.By, nil, c.Admit
	if c.Mode != edge.Normal {
		until := time.Now().Add(c.For)
		p.edge.modeUntil = &until
	}
	return changed, nil
}

// setWeights asks for weights.
func (p *patient) setWeights(c edge.WeightsChange) (changed bool, err error) {
	p.count()
	if p.late(c.Key, c.Weights == edge.Usual()) {
		return false, workload.ErrConflict
	}
	if p.edge.weights != c.If && p.edge.weights != c.Weights {
		return false, workload.ErrConflict
	}
	changed = p.edge.weights != c.Weights
	p.edge.weights, p.edge.weightsBy, p.edge.weightsUntil = c.Weights, c.By, nil
	if c.Weights != edge.Usual() {
		until := time.Now().Add(c.For)
		p.edge.weightsUntil = &until
	}
	return changed, nil
}

// signal ends sessions, or their statements, that are still what was judged.
func (p *patient) signal(s remedy.Signal, application string, judged []incident.Session) (reached []incident.Session) {
	p.count()
	for _, one := range judged {
		i := slices.IndexFunc(p.sessions, func(live incident.Session) bool { return same(s, live, one) && live.Application == application })
		if i < 0 {
			continue
		}
		reached = append(reached, p.sessions[i])
		p.sessions = slices.Delete(p.sessions, i, i+1)
	}
	if len(reached) > 0 && len(p.sessions) == 0 && p.fault != nil {
		p.well("since the sessions of its fault have ended")
	}
	return reached
}

// same says whether a session is the one that was judged; for a statement, its start counts as well.
func same(s remedy.Signal, live, judged incident.Session) bool {
	return live.PID == judged.PID && live.BackendStart.Equal(judged.BackendStart) &&
		(s != remedy.CancelQuery || live.QueryStart.Equal(judged.QueryStart))
}
