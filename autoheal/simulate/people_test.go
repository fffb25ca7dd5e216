package simulate

import (
	"context"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// pause has people pause the healer, or resume it.
func (w *world) pause(p *store.Pause) {
	if err := w.kept.SetPause(context.Background(), p, "somebody", time.Now()); err != nil {
		w.law.broken(itEnds, "the healer cannot be paused or resumed: %v", err)
	}
}

// asked has a person answer a question, or not.
func (w *world) asked(in incident.Incident) {
	r := w.dice.draw("answers to " + in.ID)
	question := *in.Approval
	if chance(r, w.plan.mute) {
		return
	}
	answer := pickOne(r, incident.Approved, incident.Approved, incident.Denied)
	w.agenda.in(between(r, time.Second, 6*time.Minute), func() {
		w.lock.Lock()
		clock := w.clock
		w.lock.Unlock()
		err := w.kept.SaveAnswer(context.Background(), store.Answer{
			IncidentID: in.ID, AskedAt: question.AskedAt, Answer: answer, By: "somebody", At: time.Now().Add(clock),
		})
		w.story.add("somebody answers %s to %s of %s: %v", answer, question.Remedy, in.ID, err)
	})
}

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
