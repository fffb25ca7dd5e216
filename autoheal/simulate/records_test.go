package simulate

import (
	"context"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// records is the real store as one healer reaches it: each call takes a while, a full disk fails it, and before and after
// each write the healer may die.
type records struct {
	*store.Store
	life *life
}

// read is a call that changes nothing.
func (r records) read(what string) error {
	time.Sleep(between(r.life.world.dice.draw(r.life.name+what), 50*time.Microsecond, 2*time.Millisecond))
	if !r.life.alive() {
		return errDead
	}
	return nil
}

// write is a call whose effect outlives the healer. A write that has begun is not undone by its death.
func (r records) write(what string, do func(context.Context) error) error {
	l := r.life
	dice := l.world.dice.draw(l.name + what)
	time.Sleep(between(dice, 50*time.Microsecond, 5*time.Millisecond))
	if !l.boundary("before it %s", what) {
		return errDead
	}
	if l.world.diskFails(dice) {
		return errDisk
	}
	err := do(context.Background())
	if !l.boundary("after it %s", what) {
		return errDead
	}
	return err
}

func (r records) Open(ctx context.Context) ([]incident.Incident, error) {
	if err := r.read(" lists the open ones"); err != nil {
		return nil, err
	}
	return r.Store.Open(context.WithoutCancel(ctx))
}

func (r records) Load(ctx context.Context, id string) (incident.Incident, incident.Progress, error) {
	if err := r.read(" loads " + id); err != nil {
		return incident.Incident{}, incident.Progress{}, err
	}
	return r.Store.Load(context.WithoutCancel(ctx), id)
}

func (r records) Save(_ context.Context, c store.Change) error {
	in := c.Incident
	what := fmt.Sprintf("saves %s, %s", in.ID, in.State)
	return r.write(what, func(ctx context.Context) error {
		err := r.Store.Save(ctx, c)
		r.life.world.story.add("%s %s: %v; %s", r.life.name, what, err, in.Reason)
		if err == nil {
			r.life.world.law.saved(r.life, c)
		}
		return err
	})
}

func (r records) Waiting(ctx context.Context, limit int) ([]incident.Alert, error) {
	if err := r.read(" looks for alerts"); err != nil {
		return nil, err
	}
	return r.Store.Waiting(context.WithoutCancel(ctx), limit)
}

func (r records) HandedOver(ctx context.Context, before time.Time, limit int) ([]incident.Alert, error) {
	if err := r.read(" looks for what goes on firing"); err != nil {
		return nil, err
	}
	return r.Store.HandedOver(context.WithoutCancel(ctx), before, limit)
}

func (r records) Joined(ctx context.Context, id string, tell func(incident.Alert)) (int, error) {
	if err := r.read(" looks for the alerts of " + id); err != nil {
		return 0, err
	}
	return r.Store.Joined(context.WithoutCancel(ctx), id, tell)
}

func (r records) Join(_ context.Context, id string, alerts []incident.Alert, entries []incident.Entry) (joined bool, err error) {
	err = r.write("joins alerts to "+id, func(ctx context.Context) (err error) {
		joined, err = r.Store.Join(ctx, id, alerts, entries)
		r.life.world.story.add("%s joins %d alerts to %s: %t, %v", r.life.name, len(alerts), id, joined, err)
		return err
	})
	return joined, err
}

func (r records) CountJoined(ctx context.Context, id string) (int, error) {
	if err := r.read(" counts the alerts of " + id); err != nil {
		return 0, err
	}
	return r.Store.CountJoined(context.WithoutCancel(ctx), id)
}

func (r records) Leases(ctx context.Context, now time.Time) ([]incident.Lease, error) {
	if err := r.read(" reads the leases for " + traceOf(ctx)); err != nil {
		return nil, err
	}
	return r.Store.Leases(context.WithoutCancel(ctx), now)
}

func (r records) Acquire(_ context.Context, l incident.Lease, now time.Time) (got bool, err error) {
	err = r.write(fmt.Sprintf("takes the lease on %s for %s", l.Target, l.Holder), func(ctx context.Context) (err error) {
		got, err = r.Store.Acquire(ctx, l, now)
		return err
	})
	return got, err
}

func (r records) Release(_ context.Context, target, holder string) error {
	return r.write(fmt.Sprintf("gives back the lease on %s of %s", target, holder), func(ctx context.Context) error {
		return r.Store.Release(ctx, target, holder)
	})
}

func (r records) Effects(ctx context.Context, since time.Time) ([]incident.Effect, error) {
	if err := r.read(" looks back for " + traceOf(ctx)); err != nil {
		return nil, err
	}
	return r.Store.Effects(context.WithoutCancel(ctx), since)
}

func (r records) Troubled(ctx context.Context, except string, since time.Time) (int, error) {
	if err := r.read(" counts the incidents beside " + except); err != nil {
		return 0, err
	}
	return r.Store.Troubled(context.WithoutCancel(ctx), except, since)
}

func (r records) Answer(ctx context.Context, id string, askedAt time.Time) (store.Answer, bool, error) {
	if err := r.read(" looks for the answer to " + id); err != nil {
		return store.Answer{}, false, err
	}
	return r.Store.Answer(context.WithoutCancel(ctx), id, askedAt)
}

func (r records) Paused(ctx context.Context) (*store.Pause, error) {
	if err := r.read(" looks for a pause, for " + traceOf(ctx)); err != nil {
		return nil, err
	}
	return r.Store.Paused(context.WithoutCancel(ctx))
}
