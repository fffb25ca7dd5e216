package simulate

import (
	"context"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// change is one request that would change the world.
type change struct {
	workload, subject, what string
	// lapses means that it may come late: what it changes goes back by itself, or is changed only if it still is what was judged.
	// What can do neither is carried out at once or not at all, as a server does whose client has gone.
	lapses bool
}

// latest is how long a request may be on its way: not as long as a change lives that nobody renews (docs/simulation.md).
const latest = 14 * time.Second

func scaleText(name string, from, to int) string {
	return fmt.Sprintf("scaling of %s from %d to %d", name, from, to)
}

// ask carries a request into the world. What is on its way arrives, whether the healer lives to see it or not.
func (c control) ask(ctx context.Context, asked change, do func() (bool, error)) error {
	w := c.life.world
	r := w.dice.draw(c.life.name + " asks for the " + asked.what + " of " + c.patient.name)
	time.Sleep(between(r, 100*time.Microsecond, 2*time.Millisecond))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !c.life.boundary("before it asks for the %s", asked.what) {
		return errDead
	}
	sent := w.law.asked(ctx, c.life, asked)
	fate := r.Float64() / max(w.plan.lossy, 1e-9)
	switch {
	case fate < 0.2:
		w.story.add("%s: the request for the %s is lost", c.life.name, asked.what)
		time.Sleep(between(r, time.Millisecond, time.Second))
		return errNoAnswer
	case fate < 0.4 && asked.lapses:
		w.story.add("%s: the request for the %s is late", c.life.name, asked.what)
		w.agenda.in(between(r, 10*time.Millisecond, latest), func() { _ = c.carryOut(sent, asked, do) })
		time.Sleep(between(r, time.Millisecond, 2*time.Second))
		return errNoAnswer
	case fate < 0.5:
		return workload.ErrNotNow
	}
	time.Sleep(between(r, time.Millisecond, 30*time.Millisecond))
	err := c.carryOut(sent, asked, do)
	time.Sleep(between(r, time.Millisecond, 30*time.Millisecond))
	switch {
	case !c.life.boundary("after it asked for the %s", asked.what):
		return errDead
	case fate < 1:
		w.story.add("%s: the answer to the %s is lost", c.life.name, asked.what)
		return errNoAnswer
	}
	return err
}

// carryOut changes the world.
func (c control) carryOut(sent *request, asked change, do func() (bool, error)) error {
	w := c.life.world
	w.lock.Lock()
	defer w.lock.Unlock()
	c.patient.settle()
	changed, err := do()
	w.story.add("the world: %s for %s: changed %t, %v", asked.what, sent.key, changed, err)
	if changed {
		w.law.happened(sent, asked)
	}
	return err
}
