package simulate

import (
	"strconv"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// deviation is something in the world that is not as its owners want it.
type deviation struct{ name, to string }

// deviations are what stands at a patient now.
func (p *patient) deviations() []deviation {
	p.settle()
	var found []deviation
	if p.edge.mode != edge.Normal {
		found = append(found, deviation{p.front(), p.edge.mode})
	}
	if p.edge.weights != edge.Usual() {
		found = append(found, deviation{p.front(), p.edge.weights.String()})
	}
	for _, f := range []*fleet{&p.orders, &p.standby} {
		if f.desired != f.usual {
			found = append(found, deviation{f.name, strconv.Itoa(f.desired)})
		}
		if f.version != f.versions[len(f.versions)-1] {
			found = append(found, deviation{f.name, f.version})
		}
	}
	return found
}

// lapses notes that something has gone back by itself. It is called with the world's lock.
func (w *world) lapses(what, of string) {
	w.story.add("the %s of %s lapses", what, of)
	w.lapsed[of] = time.Now()
}

// lapsing says whether something stands that will go back by itself. It is called with the world's lock.
func (w *world) lapsing() bool {
	for _, p := range w.patients {
		p.settle()
		if p.edge.modeUntil != nil || p.edge.weightsUntil != nil || p.orders.back != nil || p.standby.back != nil {
			return true
		}
	}
	return false
}

// standing finds what no record owns: whatever is not as its owners want it must be a change that was kept or left to a person. It is
// called with the world's lock.
func (l *law) standing(all []incident.Incident) {
	for _, p := range l.world.patients {
		for _, d := range p.deviations() {
			if !owned(all, d) {
				l.breaks(nothingLeft, "%s is %s, and no record owns that", d.name, d.to)
			}
		}
	}
}

func owned(all []incident.Incident, d deviation) bool {
	for _, in := range all {
		for _, a := range in.Actions {
			u := a.Undo
			if u != nil && u.Target.Name == d.name && u.Target.To == d.to && (u.State == incident.Kept || u.State == incident.Left) {
				return true
			}
		}
	}
	return false
}
