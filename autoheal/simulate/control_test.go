package simulate

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// control is what one healer's remedies reach of one patient: requests and answers get lost, or come late.
type control struct {
	life    *life
	patient *patient
}

// controls are all that the real remedies need.
func (c control) controls() remedy.Controls {
	return remedy.Controls{
		Replicas: c, Scaler: c, Releases: c, Edge: c, EdgeWorkload: c.patient.front(), Sessions: c,
		HTTP: http.DefaultClient, // for the health check alone, which is in no ladder here
	}
}

// look is a request that changes nothing.
func (c control) look(ctx context.Context, what string) error {
	w := c.life.world
	r := w.dice.draw(c.life.name + " looks at " + what)
	time.Sleep(between(r, time.Millisecond, 20*time.Millisecond))
	switch {
	case !c.life.alive():
		return errDead
	case ctx.Err() != nil:
		return ctx.Err()
	case chance(r, w.plan.flaky/10):
		return errNoAnswer
	}
	return nil
}

// Workload looks at one workload.
func (c control) Workload(ctx context.Context, name string) (workload.Workload, error) {
	if err := c.look(ctx, name); err != nil {
		return workload.Workload{}, err
	}
	c.life.world.lock.Lock()
	defer c.life.world.lock.Unlock()
	c.patient.settle()
	all := c.patient.workloads()
	i := slices.IndexFunc(all, func(w workload.Workload) bool { return w.Name == name })
	if i < 0 {
		return workload.Workload{}, workload.ErrNotFound
	}
	return all[i], nil
}

// State looks at the edge.
func (c control) State(ctx context.Context) (*edge.State, error) {
	if err := c.look(ctx, c.patient.front()); err != nil {
		return nil, err
	}
	c.life.world.lock.Lock()
	defer c.life.world.lock.Unlock()
	return c.patient.edgeState(), nil
}

// Restart asks for a restart.
func (c control) Restart(ctx context.Context, name, id, startID string) error {
	return c.ask(ctx, change{workload: name, subject: id, what: "restart of " + startID, lapses: true}, func() (bool, error) {
		return c.patient.fleetOf(name).restart(id, startID)
	})
}

// Scale asks for another number of replicas.
func (c control) Scale(ctx context.Context, name string, from, to int, key string) error {
	return c.ask(ctx, change{workload: name, subject: name, what: scaleText(name, from, to)}, func() (bool, error) {
		return c.patient.fleetOf(name).scaleTo(from, to, nil, key)
	})
}

// ScaleFor asks for another number for a while. On Kubernetes nobody takes it back.
func (c control) ScaleFor(ctx context.Context, name string, from, to int, lasts time.Duration, key string) (until *time.Time, err error) {
	own := !c.patient.renames
	err = c.ask(ctx, change{workload: name, subject: name, what: scaleText(name, from, to), lapses: own}, func() (bool, error) {
		if own {
			back := time.Now().Add(lasts)
			until = &back
		}
		return c.patient.fleetOf(name).scaleTo(from, to, until, key)
	})
	return c.told(until), err
}

// RollBack asks for a version.
func (c control) RollBack(ctx context.Context, name, from, to string) error {
	return c.ask(ctx, change{workload: name, subject: name, what: "change of " + name + " from " + from + " to " + to}, func() (bool, error) {
		return c.patient.fleetOf(name).rollBack(from, to)
	})
}

// SetMode asks the edge for a mode.
func (c control) SetMode(ctx context.Context, m edge.ModeChange) (now edge.State, err error) {
	err = c.ask(ctx, change{workload: c.patient.front(), subject: c.patient.front(), what: "mode " + m.Mode, lapses: true}, func() (bool, error) {
		changed, err := c.patient.setMode(m)
		now = *c.patient.edgeState()
		return changed, err
	})
	now.ModeUntil = c.told(now.ModeUntil)
	return now, err
}

// SetWeights asks the edge for weights.
func (c control) SetWeights(ctx context.Context, wanted edge.WeightsChange) (now edge.State, err error) {
	what := "weights " + wanted.Weights.String()
	err = c.ask(ctx, change{workload: c.patient.front(), subject: c.patient.front(), what: what, lapses: true}, func() (bool, error) {
		changed, err := c.patient.setWeights(wanted)
		now = *c.patient.edgeState()
		return changed, err
	})
	now.WeightsUntil = c.told(now.WeightsUntil)
	return now, err
}

// told is a time as the healer's machine would say it: the world's clock is right, and machines of one house agree by seconds.
func (c control) told(until *time.Time) *time.Time {
	if until == nil {
		return nil
	}
	theirs := until.Add(c.life.clock)
	return &theirs
}

// Signal ends sessions or their statements.
func (c control) Signal(ctx context.Context, s remedy.Signal, application string, sessions []incident.Session) (reached []incident.Session, err error) {
	err = c.ask(ctx, change{workload: c.patient.back(), subject: application, what: string(s) + " of " + application, lapses: true}, func() (bool, error) {
		reached = c.patient.signal(s, application, sessions)
		return len(reached) > 0, nil
	})
	return reached, err
}

// Left looks who of them is still there.
func (c control) Left(ctx context.Context, s remedy.Signal, application string, sessions []incident.Session) ([]incident.Session, error) {
	if err := c.look(ctx, application); err != nil {
		return nil, err
	}
	c.life.world.lock.Lock()
	defer c.life.world.lock.Unlock()
	var left []incident.Session
	for _, live := range c.patient.sessions {
		if slices.ContainsFunc(sessions, func(one incident.Session) bool { return same(s, live, one) }) {
			left = append(left, live)
		}
	}
	return left, nil
}

// Of looks for the sessions of an application.
func (c control) Of(ctx context.Context, application string, before time.Time) ([]incident.Session, error) {
	if err := c.look(ctx, application); err != nil {
		return nil, err
	}
	c.life.world.lock.Lock()
	defer c.life.world.lock.Unlock()
	return slices.DeleteFunc(slices.Clone(c.patient.sessions), func(s incident.Session) bool {
		return s.Application != application || !s.BackendStart.Before(before)
	}), nil
}
