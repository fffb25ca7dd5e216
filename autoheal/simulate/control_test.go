package simulate

import (
	"context"
	"errors"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// ladders is the playbook of the simulation.
func ladders() (playbook.Playbook, error) {
	return playbook.Parse("the simulated playbook", []byte(`
version: 1
causes:
  connection-leak:
    ladder:
      - remedy: restart-replicas
        timeout: 15s
        verify: {readings: 3, within: 15s}
`), playbook.Known{
		Causes: incident.Causes(), Remedies: playbook.Remedies(remedy.Known()),
		Harmful: func(incident.Cause, string) string { return "" },
	})
}

// remediesOf are the real remedies, on the controls of one healer.
func remediesOf(l *life) ([]remedy.Remedy, error) {
	restart, err := remedy.NewRestartReplicas(control{l})
	if err != nil {
		return nil, err
	}
	var watched []remedy.Remedy
	for _, one := range []remedy.Remedy{restart} {
		if l.world.bug.remedy != nil {
			one = l.world.bug.remedy(l, one)
		}
		watched = append(watched, watch(l, one))
	}
	return watched, nil
}

// control is what a healer's remedies reach of the world: requests and answers get lost or come late.
type control struct{ life *life }

// Workload looks at one workload.
func (c control) Workload(ctx context.Context, name string) (workload.Workload, error) {
	w := c.life.world
	p := w.patientOf(name)
	r := w.dice.draw(c.life.name + " looks at " + name)
	time.Sleep(between(r, time.Millisecond, 20*time.Millisecond))
	if !c.life.alive() {
		return workload.Workload{}, errDead
	}
	if ctx.Err() != nil {
		return workload.Workload{}, ctx.Err()
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	switch {
	case chance(r, w.plan.flaky/10):
		return workload.Workload{}, errNoAnswer
	case name != p.back():
		return workload.Workload{}, workload.ErrNotFound
	}
	return p.workload(), nil
}

// Restart asks for a restart.
func (c control) Restart(ctx context.Context, name, id, startID string) error {
	w := c.life.world
	p := w.patientOf(name)
	return c.ask(ctx, change{workload: name, subject: id, what: "restart of " + startID}, func() error { return p.restart(id, startID) })
}

// change is one request that would change the world.
type change struct{ workload, subject, what string }

// ask carries a request into the world. What is on its way arrives, whether the healer lives to see it or not.
func (c control) ask(ctx context.Context, asked change, do func() error) error {
	w := c.life.world
	r := w.dice.draw(c.life.name + " asks for " + asked.what)
	time.Sleep(between(r, 100*time.Microsecond, 2*time.Millisecond))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !c.life.boundary("before it asks for the %s", asked.what) {
		return errDead
	}
	key := w.law.asked(ctx, c.life, asked)
	fate := r.Float64() / max(w.plan.lossy, 1e-9)
	switch {
	case fate < 0.2:
		w.story.add("%s: the request for the %s is lost", c.life.name, asked.what)
		time.Sleep(between(r, time.Millisecond, time.Second))
		return errNoAnswer
	case fate < 0.4:
		w.story.add("%s: the request for the %s is late", c.life.name, asked.what)
		w.agenda.in(between(r, time.Second, 30*time.Second), func() { _ = c.carryOut(key, asked, do) })
		time.Sleep(between(r, time.Millisecond, 2*time.Second))
		return errNoAnswer
	case fate < 0.5:
		return workload.ErrNotNow
	}
	time.Sleep(between(r, time.Millisecond, 30*time.Millisecond))
	err := c.carryOut(key, asked, do)
	time.Sleep(between(r, time.Millisecond, 30*time.Millisecond))
	switch {
	case !c.life.boundary("after it asked for the %s", asked.what):
		return errDead
	case fate < 1:
		return errNoAnswer
	}
	return err
}

// carryOut changes the world.
func (c control) carryOut(key string, asked change, do func() error) error {
	w := c.life.world
	w.lock.Lock()
	defer w.lock.Unlock()
	err := do()
	w.story.add("the world: %s for %s: %v", asked.what, key, err)
	switch {
	case err == nil:
		w.law.happened(key, asked)
	case errors.Is(err, errStopping):
		return nil
	}
	return err
}
