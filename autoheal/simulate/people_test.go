package simulate

import (
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// handedOver has a person mend, after a while, what the healer gave up.
func (w *world) handedOver(in incident.Incident) {
	w.outcomes.add(string(in.Outcome))
	if in.State != incident.Escalated {
		return
	}
	p := w.patientOf(in.Workload)
	after := between(w.dice.draw("people mend "+p.name), 30*time.Second, 8*time.Minute)
	w.agenda.in(after, func() {
		w.lock.Lock()
		f := p.fault
		p.resolveSoon()
		w.lock.Unlock()
		p.recover(f, "since people mended it")
	})
}
