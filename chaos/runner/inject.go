package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"

	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/chaos/journal"
)

// Inject breaks things, and returns the time at which it began to.
//
// That is Phase after a whole wall-clock second. The client counts in whole seconds; with a phase of 0 none of them lies
// half before the fault and half after it.
//
// The record is on disk before anything is touched. When the injection fails, or ctx ends while it goes on, what there
// is of the fault is taken away again.
func (r *Runner) Inject(ctx context.Context) (time.Time, error) {
	if err := r.refuseSecond(); err != nil {
		return time.Time{}, err
	}
	r.journal.Begin(ctx)
	ctx, end := r.journal.Step(ctx, journal.Inject)
	at, err := r.inject(ctx)
	end(err, attribute.StringSlice("chaos.affected", r.record.Affected))
	if err != nil {
		r.journal.End(string(journal.InjectFailed))
		return time.Time{}, err
	}
	_, r.endWatch = r.journal.Step(ctx, journal.Watch)
	return at, nil
}

// put writes the record of a fault that is about to begin.
func (r *Runner) put(prepared fault.State, at time.Time) error {
	record := Record{
		Experiment: r.experiment.Name, ID: uuid.NewString(), Fault: r.experiment.Fault.Kind, PID: os.Getpid(),
		StackStartedAt: r.stack.StartedAt, InjectedAt: at.UTC(), ExpiresAt: at.Add(r.duration).UTC(),
		DriverState: prepared, File: r.experiment.File(), Definition: string(r.experiment.Source()),
		TraceParent: r.journal.TraceParent(),
	}
	if err := createRecord(r.file, record); err != nil {
		return err
	}
	r.record = record
	r.journal.Identify(record.ID)
	return nil
}

func (r *Runner) inject(ctx context.Context) (time.Time, error) {
	prepared, err := r.driver.Prepare(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("preparing the fault: %w", err)
	}
	at := time.Now().Add(lead + time.Second).Truncate(time.Second).Add(r.phase)
	if err := r.put(prepared, at); err != nil {
		return time.Time{}, err
	}
	if err := sleep(ctx, time.Until(at)); err != nil {
		return time.Time{}, errors.Join(err, dropRecord(r.file, r.record.ID))
	}
	r.tell(Injecting, "injecting %s: %s", r.experiment.Fault.Kind, fault.Summary(r.experiment.Fault.Kind))
	r.journal.Note(ctx, journal.Injecting, fault.Summary(r.experiment.Fault.Kind))
	injection, err := r.driver.Inject(ctx, prepared)
	r.record.DriverState, r.record.Affected, r.record.Injected = injection.State, injection.Affected, err == nil
	r.detail = injection.Detail
	if err == nil {
		err = replaceRecord(r.file, r.record)
	}
	if err != nil {
		r.journal.Note(ctx, journal.InjectFailed, err.Error())
		return time.Time{}, errors.Join(fmt.Errorf("injecting %s: %w", r.experiment.Name, err), r.Restore(ctx))
	}
	r.journal.Note(ctx, journal.Injected, r.detail)
	return at.UTC(), nil
}

// watched ends the watching, if it goes on.
func (r *Runner) watched(err error, attributes ...attribute.KeyValue) {
	if r.endWatch != nil {
		r.endWatch(err, attributes...)
		r.endWatch = nil
	}
}

// Affected names the replicas that the injection hit, sorted.
func (r *Runner) Affected() []string { return r.record.Affected }

// StillPresent asks the world, not the record, whether the fault is there.
func (r *Runner) StillPresent(ctx context.Context) (fault.Presence, error) {
	if r.record.ID == "" {
		return fault.Presence{}, ErrNothingActive
	}
	return r.driver.StillPresent(ctx, r.record.DriverState)
}

// Restore takes away what is left of the fault and then the record. It may be repeated. It goes on, within a bound of
// its own, when ctx has ended: an interrupted experiment must not leave its fault behind.
func (r *Runner) Restore(ctx context.Context) error {
	if r.record.ID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreBound)
	defer cancel()
	r.watched(nil)
	r.journal.Begin(ctx)
	ctx, end := r.journal.Step(ctx, journal.Stop)
	err := r.driver.Restore(ctx, r.record.DriverState)
	end(err)
	if err != nil {
		r.journal.Note(ctx, journal.Left, err.Error())
		return fmt.Errorf("the fault of %s could not be taken away: %w; try again with `chaos stop`, or end the stack with `make down`",
			r.record.Experiment, err)
	}
	r.journal.Note(ctx, journal.Removed, "")
	return dropRecord(r.file, r.record.ID)
}
