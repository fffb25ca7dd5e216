package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Status is an active experiment and what the world says about its fault.
type Status struct {
	Record Record `json:"record"`
	// Expired says that the observation window is over and the fault was kept, or its runner died.
	Expired  bool            `json:"expired"`
	Presence *fault.Presence `json:"presence"` // nil when nobody can tell; Unknown says why
	Unknown  string          `json:"unknown,omitempty"`
}

// Active lists the experiments on record in the stack that runs, the oldest first; none is no error. What can be read is
// given also with an error.
func Active(stackFile string) ([]Record, error) {
	stack, err := endpoints.Read(stackFile)
	if err != nil {
		return nil, err
	}
	return recordsOf(stackFile).of(stack.StartedAt)
}

// ReadStatus asks the world about every active experiment, the oldest first.
func ReadStatus(ctx context.Context, stackFile string) ([]Status, error) {
	active, err := Active(stackFile)
	if err != nil {
		return nil, err
	}
	all := []Status{}
	for _, record := range active {
		one, err := statusOf(ctx, stackFile, record.ID)
		switch {
		case err == nil:
			all = append(all, one)
		case !errors.Is(err, ErrNothingActive):
			return nil, err
		}
	}
	return all, nil
}

func statusOf(ctx context.Context, stackFile, id string) (Status, error) {
	r, err := Resume(stackFile, id)
	if err != nil {
		return Status{}, err
	}
	defer r.Close()
	status := Status{Record: r.record, Expired: time.Now().After(r.record.ExpiresAt)}
	presence, err := r.StillPresent(ctx)
	if err != nil {
		status.Unknown = err.Error()
		return status, nil
	}
	status.Presence = &presence
	return status, nil
}

// Resume takes up an experiment on record, also one whose process has died. It returns ErrNothingActive when it is not
// there, or when it is that of an earlier stack. The caller closes the runner.
func Resume(stackFile, id string) (*Runner, error) {
	stack, err := endpoints.Read(stackFile)
	if err != nil {
		return nil, err
	}
	files := recordsOf(stackFile)
	record, err := files.read(id)
	if err != nil {
		return nil, err
	}
	if !record.StackStartedAt.Equal(stack.StartedAt) {
		return nil, errors.Join(ErrNothingActive, files.drop(id))
	}
	definition, err := experiment.Parse(record.File, []byte(record.Definition))
	if err != nil {
		return nil, fmt.Errorf("the experiment on record cannot be read: %w", err)
	}
	r, err := open(Options{Experiment: definition, StackFile: stackFile, Seed: record.Seed}, record.ID)
	if err != nil {
		return nil, err
	}
	r.record = record
	r.journal.Resume(context.Background(), record.TraceParent)
	r.journal.Identify(record.ID)
	return r, nil
}

// Record is that of the experiment that this runner injected or took up.
func (r *Runner) Record() Record { return r.record }

// Forget drops every record without touching the faults: the last resort when they cannot be taken away.
func Forget(stackFile string) error {
	files := recordsOf(stackFile)
	ids, err := files.ids()
	problems := []error{err}
	for _, id := range ids {
		problems = append(problems, files.drop(id))
	}
	return errors.Join(problems...)
}
