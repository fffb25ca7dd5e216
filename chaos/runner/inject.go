package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/chaos/journal"
)

// Inject breaks things, and returns the time at which it began to.
//
// That is Phase after a whole wall-clock second. The client counts in whole seconds; with a phase of 0 none of them lies
// half before the fault and half after it.
//
// A keeper watches, and the record is on disk, before anything is touched. When the injection fails, or ctx ends while it
// goes on, what there is of the fault is taken away again.
func (r *Runner) Inject(ctx context.Context) (time.Time, error) {
	if err := r.refuse(); err != nil {
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

func (r *Runner) inject(ctx context.Context) (time.Time, error) {
	var err error
	if r.keeper, err = startKeeper(ctx, r.options.Keeper, r.options.StackFile, r.id); err != nil {
		return time.Time{}, err
	}
	prepared, err := r.driver.Prepare(ctx)
	if err != nil {
		r.dismissKeeper()
		return time.Time{}, fmt.Errorf("preparing the fault: %w", err)
	}
	at := time.Now().Add(lead + time.Second).Truncate(time.Second).Add(Phase(r.options.Seed))
	if err := r.putRecord(ctx, prepared, at); err != nil {
		r.dismissKeeper()
		return time.Time{}, err
	}
	r.lookOut()
	if err := sleep(ctx, time.Until(at)); err != nil {
		return time.Time{}, errors.Join(err, r.forget())
	}
	return at.UTC(), r.injectNow(ctx, prepared)
}

// putRecord writes the record of a fault that is about to begin. Of two experiments that start at once, one wins.
func (r *Runner) putRecord(ctx context.Context, prepared fault.State, at time.Time) error {
	unlock, err := r.records.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := r.refuse(); err != nil {
		return err
	}
	record := Record{
		Experiment: r.experiment.Name, ID: r.id, Fault: r.experiment.Fault.Kind, Workload: r.experiment.Scope.Workload,
		Seed: r.options.Seed, PID: os.Getpid(), StackStartedAt: r.stack.StartedAt,
		InjectedAt: at.UTC(), ExpiresAt: at.Add(r.options.Duration).UTC(), GoneBy: at.Add(r.options.timeToLive()).UTC(),
		DriverState: prepared, File: r.experiment.File(), Definition: string(r.experiment.Source()),
		TraceParent: r.journal.TraceParent(),
	}
	if err := r.records.put(record); err != nil {
		return err
	}
	r.record = record
	r.journal.Identify(record.ID)
	return nil
}

func (r *Runner) injectNow(ctx context.Context, prepared fault.State) error {
	r.tell(Injecting, "injecting %s: %s", r.experiment.Fault.Kind, fault.Summary(r.experiment.Fault.Kind))
	r.journal.Note(ctx, journal.Injecting, fault.Summary(r.experiment.Fault.Kind))
	injection, err := r.driver.Inject(ctx, prepared)
	r.record.DriverState, r.record.Affected, r.record.Injected = injection.State, injection.Affected, err == nil
	r.detail = injection.Detail
	if err == nil {
		err = r.update(ctx, func(record *Record) {
			record.DriverState, record.Affected, record.Injected = injection.State, injection.Affected, true
		})
	}
	if err != nil {
		r.unsure = true
		r.journal.Note(ctx, journal.InjectFailed, err.Error())
		return errors.Join(fmt.Errorf("injecting %s: %w", r.experiment.Name, err), r.Restore(ctx))
	}
	r.journal.Note(ctx, journal.Injected, r.detail)
	return nil
}

// update writes a newer account of the experiment. It returns ErrNothingActive when the record is gone: then somebody has
// stopped the experiment meanwhile.
func (r *Runner) update(ctx context.Context, change func(*Record)) error {
	unlock, err := r.records.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	record, err := r.records.read(r.id)
	if err != nil {
		return err
	}
	change(&record)
	return r.records.put(record)
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
