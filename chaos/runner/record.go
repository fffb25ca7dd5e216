package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/faultline-lab/faultline/chaos/fault"
)

// RecordFile is the name of the record, beside the stack's own file.
const RecordFile = "chaos.json"

// ErrNothingActive says that no experiment is on record.
var ErrNothingActive = errors.New("no experiment is active")

// ErrActive says that another experiment is on record, so this one may not start: two faults at once would tell
// nothing about either.
var ErrActive = errors.New("another experiment is active")

// Record is what is known about the active experiment, kept in a file so that it outlives the process that injected.
// It is written before the injection: whatever dies when, the fault can be found and taken away.
type Record struct {
	Experiment string `json:"experiment"`
	ID         string `json:"id"`
	Fault      string `json:"fault"`
	PID        int    `json:"pid"` // of the process that injected
	// StackStartedAt tells the stack that has the fault from a later one, which cannot have it.
	StackStartedAt time.Time `json:"stack_started_at"`
	// InjectedAt is in the future while Injected is false.
	InjectedAt time.Time `json:"injected_at"`
	Injected   bool      `json:"injected"`
	// ExpiresAt is when the observation window is over; the fault stays until somebody takes it away.
	ExpiresAt   time.Time   `json:"expires_at"`
	Affected    []string    `json:"affected"` // the replicas that were hit
	DriverState fault.State `json:"driver_state"`
	// TraceParent is the experiment's trace, so that whoever takes the fault away goes on with it.
	TraceParent string `json:"traceparent,omitempty"`
	// File and Definition are the experiment's file as it was, so that taking the fault away needs nothing else.
	File       string `json:"file"`
	Definition string `json:"definition"`
}

// readRecord returns ErrNothingActive when there is no record.
func readRecord(path string) (Record, error) {
	var record Record
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return record, ErrNothingActive
	}
	if err != nil {
		return record, err
	}
	if err := json.Unmarshal(data, &record); err != nil {
		return record, fmt.Errorf("%s cannot be read: %w: `chaos stop --all` drops it", path, err)
	}
	return record, nil
}

// createRecord puts the record in place in one step, unless there is one: then it returns ErrActive.
func createRecord(path string, record Record) error {
	next, err := writeBeside(path, record)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(next) }()
	// A link, unlike a rename, fails when the name is taken: of two that start at once, one wins.
	err = os.Link(next, path)
	if errors.Is(err, fs.ErrExist) {
		return activeError(path)
	}
	return err
}

func activeError(path string) error {
	record, err := readRecord(path)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrActive, err)
	}
	return fmt.Errorf("%w: %s, injected %s by process %d; end it with `chaos stop`",
		ErrActive, record.Experiment, record.InjectedAt.Format(time.TimeOnly), record.PID)
}

// replaceRecord puts a newer account of the same experiment in place.
func replaceRecord(path string, record Record) error {
	next, err := writeBeside(path, record)
	if err != nil {
		return err
	}
	return os.Rename(next, path)
}

func writeBeside(path string, record Record) (string, error) {
	data, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return "", err
	}
	next := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+record.ID)
	return next, os.WriteFile(next, append(data, '\n'), 0o600)
}

// dropRecord removes the record if it is still that experiment's.
func dropRecord(path, id string) error {
	record, err := readRecord(path)
	if errors.Is(err, ErrNothingActive) || err == nil && record.ID != id {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Remove(path)
}
