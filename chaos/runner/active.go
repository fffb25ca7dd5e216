package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Status is the active experiment and what the world says about its fault.
type Status struct {
	Record Record `json:"record"`
	// Expired says that the observation window is over and the fault was kept, or its runner died.
	Expired  bool            `json:"expired"`
	Presence *fault.Presence `json:"presence"` // nil when nobody can tell; Unknown says why
	Unknown  string          `json:"unknown,omitempty"`
}

// ReadStatus returns ErrNothingActive when no experiment is on record in the stack that runs.
func ReadStatus(ctx context.Context, stackFile string) (Status, error) {
	r, err := Resume(stackFile)
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

// Resume takes up the experiment on record, also one whose process has died. It returns ErrNothingActive when there is
// none, or when it is that of an earlier stack. The caller closes the runner.
func Resume(stackFile string) (*Runner, error) {
	stack, err := endpoints.Read(stackFile)
	if err != nil {
		return nil, err
	}
	record, err := readRecord(recordFile(stackFile))
	if err != nil {
		return nil, err
	}
	if !record.StackStartedAt.Equal(stack.StartedAt) {
		return nil, errors.Join(ErrNothingActive, dropRecord(recordFile(stackFile), record.ID))
	}
	definition, err := experiment.Parse(record.File, []byte(record.Definition))
	if err != nil {
		return nil, fmt.Errorf("the experiment on record cannot be read: %w", err)
	}
	r, err := New(Options{Experiment: definition, StackFile: stackFile})
	if err != nil {
		return nil, err
	}
	r.record = record
	r.journal.Resume(context.Background(), record.TraceParent)
	r.journal.Identify(record.ID)
	return r, nil
}

// Active is the record of the experiment that this runner injected or took up.
func (r *Runner) Active() Record { return r.record }

// Forget drops the record without touching the fault: the last resort when a fault cannot be taken away.
func Forget(stackFile string) error {
	err := os.Remove(recordFile(stackFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func recordFile(stackFile string) string { return filepath.Join(filepath.Dir(stackFile), RecordFile) }
