package remedy

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

var errLost = errors.New("connection reset")

// fleet is one workload whose replicas take their time to become what is asked for, under a control that can lose answers.
type fleet struct {
	workload.Workload
	readyIn     time.Duration // negative: never
	loseAnswers int           // changes that happen although the caller sees an error
	fail        []error       // given, one a call, before a change is taken
	changes     int
	until       *time.Time
	back        int // where it goes back to by itself at until
	changedAt   time.Time
}

func newFleet(desired int) *fleet {
	return &fleet{
		Workload: workload.Workload{Name: "orders", Desired: desired, Max: 8, Version: "v2", Versions: []string{"v1", "v2"}},
		readyIn:  300 * time.Millisecond, changedAt: time.Now().Add(-time.Hour),
	}
}

// Workload shows what is asked for as soon as it is ready, and before that the replicas one short.
func (f *fleet) look() workload.Workload {
	if f.until != nil && time.Now().After(*f.until) {
		f.Desired, f.until = f.back, nil
	}
	w := f.Workload
	state := workload.Starting
	if f.readyIn >= 0 && time.Since(f.changedAt) >= f.readyIn {
		state = workload.Ready
	}
	for range w.Desired {
		w.Replicas = append(w.Replicas, workload.Replica{State: state, Version: w.Version})
	}
	return w
}

// asControl keeps the methods apart from the fields of the workload.
type asControl struct{ *fleet }

func (c asControl) Workload(_ context.Context, name string) (workload.Workload, error) {
	if name != c.Name {
		return workload.Workload{}, workload.ErrNotFound
	}
	return c.look(), nil
}

// change does it, unless something is in the way.
func (f *fleet) change(is, from, to any, do func()) error {
	if len(f.fail) > 0 {
		err := f.fail[0]
		f.fail = f.fail[1:]
		return err
	}
	if is != to && is != from {
		return workload.ErrConflict
	}
	if is != to {
		f.changes++
		f.changedAt = time.Now()
		do()
	}
	if f.loseAnswers > 0 {
		f.loseAnswers--
		return errLost
	}
	return nil
}

func (c asControl) Scale(_ context.Context, _ string, from, to int, _ string) error {
	return c.change(c.look().Desired, from, to, func() { c.Desired, c.until = to, nil })
}

func (c asControl) ScaleFor(_ context.Context, _ string, from, to int, lasts time.Duration, _ string) (*time.Time, error) {
	until := time.Now().Add(lasts)
	err := c.change(c.look().Desired, from, to, func() { c.Desired = to })
	if err == nil || errors.Is(err, errLost) {
		c.until, c.back = &until, from
	}
	return &until, err
}

func (c asControl) RollBack(_ context.Context, _, from, to string) error {
	if !slices.Contains(c.Versions, to) {
		return workload.ErrNotFound
	}
	return c.change(c.Version, from, to, func() { c.Version = to })
}

func (asControl) Restart(context.Context, string, string, string) error { return nil }

func application(kind incident.TargetKind, name, is, to string) Application {
	return Application{
		IncidentID: "i", Key: "i/1/0/" + name, IntendedAt: time.Now(), Timeout: 5 * time.Second, TimeToLive: 20 * time.Second,
		Target: incident.Target{Kind: kind, Workload: name, Name: name, Is: is, To: to},
	}
}

// judged lets the application be judged anew, always with the same result.
func (a Application) judged(why string) Application {
	a.Recheck = func(context.Context) (string, error) { return why, nil }
	return a
}

func seeing(t *testing.T, cause incident.Cause, all ...workload.Workload) Sight {
	t.Helper()
	return Sight{Diagnosis: incident.Diagnosis{Cause: cause, Workload: "orders"}, Workloads: all}
}
