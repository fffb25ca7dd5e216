package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/chaos/journal"
)

// guardInterval is how often a runner looks whether somebody stops its experiment.
const guardInterval = 100 * time.Millisecond

// Restore takes away what is left of the fault and then the record. It may be repeated, and several processes may do it at
// once: one goes first, and the others find it done. It goes on, within a bound of its own, when ctx has ended: an
// interrupted experiment must not leave its fault behind.
func (r *Runner) Restore(ctx context.Context) error {
	if r.record.ID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreBound)
	defer cancel()
	r.unguard()
	r.watched(nil)
	r.letGo()
	defer r.dismissKeeper()
	r.journal.Begin(ctx)
	ctx, end := r.journal.Step(ctx, journal.Stop)
	err := r.restoreAlone(ctx)
	end(err)
	if err != nil {
		r.journal.Note(ctx, journal.Left, err.Error())
		return fmt.Errorf("the fault of %s could not be taken away: %w; try again with `chaos stop`, or end the stack with `make down`",
			r.record.Experiment, err)
	}
	r.journal.Note(ctx, journal.Removed, "")
	return nil
}

func (r *Runner) restoreAlone(ctx context.Context) error {
	unlock, err := r.records.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	record, err := r.records.read(r.record.ID)
	switch {
	case errors.Is(err, ErrNothingActive) && !r.unsure:
		return nil
	case err == nil:
		record.Stopping = true
		err = r.records.put(record)
	case errors.Is(err, ErrNothingActive):
		err = nil
	}
	if err != nil {
		return err
	}
	if err := r.driver.Restore(ctx, r.record.DriverState); err != nil {
		return err
	}
	return r.records.drop(r.record.ID)
}

// Clear gives up a fault that is stuck: Restore could not take away what carries it, and nothing has it any more. Then it drops
// the record. A fault that cannot be stuck is an error.
func (r *Runner) Clear(ctx context.Context) error {
	clearer, ok := r.driver.(fault.Clearer)
	if !ok {
		return fmt.Errorf("the fault of %s cannot be stuck", r.record.Experiment)
	}
	unlock, err := r.records.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := clearer.Clear(ctx, r.record.DriverState); err != nil {
		return err
	}
	return r.records.drop(r.record.ID)
}

// forget drops the record of a fault that was never injected.
func (r *Runner) forget() error {
	r.unguard()
	defer r.dismissKeeper()
	return r.records.drop(r.id)
}

// leave ends this process's part of a kept fault.
func (r *Runner) leave(ctx context.Context) error {
	r.unguard()
	err := r.update(ctx, func(record *Record) { record.Kept = true })
	if r.keeper != nil {
		r.keeper.leave()
		r.keeper = nil
	}
	if errors.Is(err, ErrNothingActive) { // stopped at the last moment
		return nil
	}
	return err
}

func (r *Runner) dismissKeeper() {
	if r.keeper != nil {
		r.keeper.dismiss()
		r.keeper = nil
	}
}

// letGo ends what this process itself carries of the fault.
func (r *Runner) letGo() {
	if carrier, ok := r.driver.(fault.Carrier); ok {
		carrier.LetGo()
	}
}

// lookOut watches the record from now on: whoever stops the experiment from another process counts on this one to let go of
// what it carries.
func (r *Runner) lookOut() {
	over := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(guardInterval)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			record, err := r.records.read(r.id)
			if errors.Is(err, ErrNothingActive) || err == nil && record.Stopping {
				close(r.stopped)
				r.letGo()
				return
			}
		}
	})
	r.guard = func() {
		close(over)
		looking.Wait()
	}
}

func (r *Runner) unguard() {
	if r.guard != nil {
		r.guard()
		r.guard = nil
	}
}
