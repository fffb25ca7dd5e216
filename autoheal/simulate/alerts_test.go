package simulate

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// firing is an alert as Alertmanager has it.
type firing struct {
	fingerprint, name, workload string
	starts                      time.Time
}

func (f firing) alert(status string, received time.Time) incident.Alert {
	a := incident.Alert{
		Fingerprint: f.fingerprint, StartsAt: f.starts, Status: status, ReceivedAt: received,
		Labels: map[string]string{"alertname": f.name, "workload": f.workload},
	}
	if status == "resolved" {
		ends := received
		a.EndsAt = &ends
	}
	return a
}

// alertsOf has an episode's alerts fire: duplicated, out of order, late, and some resolved before they fire.
func (w *world) alertsOf(p *patient, e episode) {
	w.lock.Lock()
	defer w.lock.Unlock()
	r := w.dice.draw("alerts of " + p.name)
	for i := range e.alerts {
		f := firing{name: fmt.Sprintf("Symptom%d", i), workload: p.back(), starts: time.Now().UTC()}
		if i%2 == 1 {
			f.workload = p.front()
		}
		f.fingerprint = fmt.Sprintf("%s/%d", f.workload, i)
		p.firing = append(p.firing, f)
	}
	if e.alerts > 10 { // a storm comes in one payload
		w.send(p.firing, "firing", between(r, 0, time.Second))
	} else {
		for _, f := range p.firing {
			w.sendOne(f, r.IntN(3) == 0, between(r, 0, 3*time.Second))
			if chance(r, 0.2) {
				w.send([]firing{f}, "resolved", between(r, 0, 3*time.Second))
			}
		}
	}
	if e.kind == nothing {
		p.resolveSoon()
	}
}

func (w *world) sendOne(f firing, twice bool, after time.Duration) {
	w.send([]firing{f}, "firing", after)
	if twice { // a pair of Alertmanagers
		w.send([]firing{f}, "firing", after+w.dice.hair())
	}
}

// resolveSoon has everything that fires about a patient resolved after a while.
func (p *patient) resolveSoon() {
	w := p.world
	r := w.dice.draw("resolving " + p.name)
	if len(p.firing) > 0 {
		w.send(p.firing, "resolved", between(r, time.Second, 8*time.Second))
	}
	p.firing = nil
}

// send, called with the lock, delivers alerts after a while, and again every few seconds until somebody has acknowledged them.
func (w *world) send(alerts []firing, status string, after time.Duration) {
	w.sending++
	w.agenda.in(after, func() { w.deliver(alerts, status, 1) })
}

const (
	sendAgain  = 5 * time.Second
	sendAtMost = 40 // Alertmanager gives up at the next flush; by then it has new alerts to send
)

func (w *world) deliver(alerts []firing, status string, attempt int) {
	again := func(why string) {
		w.story.add("a delivery of %d alerts (%s) was not taken: %s", len(alerts), status, why)
		if attempt < sendAtMost {
			w.agenda.in(sendAgain+w.dice.hair(), func() { w.deliver(alerts, status, attempt+1) })
			return
		}
		w.sent()
	}
	l := w.someone()
	if l == nil {
		again("no healer is there")
		return
	}
	d := store.Delivery{ReceivedAt: l.now()}
	for _, f := range alerts {
		d.Alerts = append(d.Alerts, f.alert(status, d.ReceivedAt))
	}
	if err := l.receive(d); err != nil {
		again(err.Error())
		return
	}
	w.story.add("%s took %d alerts (%s): %s ...", l.name, len(alerts), status, alerts[0].fingerprint)
	if status == "firing" {
		w.law.acknowledged(alerts)
	}
	l.engine.Wake()
	w.sent()
}

func (w *world) sent() {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.sending--
}
