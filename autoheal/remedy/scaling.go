package remedy

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// scaling changes the number of replicas of a workload, and takes it back.
type scaling struct{ scaler Scaler }

// scaleTarget is a change from one number to another.
func scaleTarget(w workload.Workload, to int) incident.Target {
	return incident.Target{
		Kind: incident.WorkloadTarget, Workload: w.Name, Name: w.Name, Is: strconv.Itoa(w.Desired), To: strconv.Itoa(to),
		State: fmt.Sprintf("%d of %d replicas are ready", w.Ready(), w.Desired),
	}
}

// numbers reads the target of a scaling back from its record.
func numbers(t incident.Target) (is, to int, err error) {
	if is, err = strconv.Atoi(t.Is); err == nil {
		to, err = strconv.Atoi(t.To)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("the target of %s does not say from how many replicas to how many: %w", t.Name, err)
	}
	return is, to, nil
}

// apply scales from Is to To for a time, and waits until all replicas are ready.
func (s scaling) apply(ctx context.Context, a Application) Effect {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	is, to, err := numbers(a.Target)
	if err != nil {
		return failed("%v", err)
	}
	var until *time.Time
	refused := asking{
		Application: a, there: s.wants(a.Target.Name, to),
		request: func(ctx context.Context) (err error) {
			until, err = s.scaler.ScaleFor(ctx, a.Target.Name, is, to, a.ttl(), a.Key)
			return err
		},
	}.result(ctx, fmt.Sprintf("scaling %s from %d to %d replicas", a.Target.Name, is, to))
	if refused != nil {
		return *refused
	}
	err = await(ctx, func(ctx context.Context) error {
		seen, err := s.scaler.Workload(ctx, a.Target.Name)
		if err == nil && seen.Ready() < to {
			err = fmt.Errorf("%d of %d replicas are ready", seen.Ready(), to)
		}
		return err
	})
	if err != nil {
		return failed("%s was scaled from %d to %d, but is not complete within %s: %v", a.Target.Name, is, to, a.Timeout, err).until(until)
	}
	return done("%s has %d replicas instead of %d, all ready", a.Target.Name, to, is).until(until)
}

func (s scaling) wants(name string, replicas int) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		seen, err := s.scaler.Workload(ctx, name)
		return err == nil && seen.Desired == replicas, err
	}
}

// undo scales from To back to Is. It does not wait until the replicas are gone: they drain by themselves.
func (s scaling) undo(ctx context.Context, a Application) Effect {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	is, to, err := numbers(a.Target)
	if err != nil {
		return failed("%v", err)
	}
	refused := asking{
		Application: a, there: s.wants(a.Target.Name, is),
		request: func(ctx context.Context) error { return s.scaler.Scale(ctx, a.Target.Name, to, is, a.Key) },
	}.result(ctx, fmt.Sprintf("scaling %s back from %d to %d replicas", a.Target.Name, to, is))
	if refused != nil {
		return *refused
	}
	return done("%s has %d replicas again", a.Target.Name, is)
}

// renew begins the time to live anew while the number is ours.
func (s scaling) renew(ctx context.Context, a Application) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	is, to, err := numbers(a.Target)
	if err != nil {
		return time.Time{}, err
	}
	seen, err := s.scaler.Workload(ctx, a.Target.Name)
	if err != nil {
		return time.Time{}, err
	}
	if seen.Desired != to {
		return time.Time{}, fmt.Errorf("%s wants %d replicas and not %d: the time has run out, or somebody else changed it: %w",
			a.Target.Name, seen.Desired, to, workload.ErrConflict)
	}
	until, err := s.scaler.ScaleFor(ctx, a.Target.Name, is, to, a.ttl(), a.Key)
	if err != nil || until == nil {
		return time.Time{}, err
	}
	return *until, nil
}
