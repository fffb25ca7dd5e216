package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// recordEnd is how the names of records end.
const recordEnd = ".json"

// lockInterval is how often a lock is asked for that somebody else holds.
const lockInterval = 20 * time.Millisecond

// records is the folder of the active experiments.
type records struct{ folder string }

func recordsOf(stackFile string) records {
	return records{filepath.Join(filepath.Dir(stackFile), RecordFolder)}
}

func (r records) path(id string) string { return filepath.Join(r.folder, id+recordEnd) }

// ids lists what is on record, in no order.
func (r records) ids() ([]string, error) {
	entries, err := os.ReadDir(r.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var ids []string
	for _, entry := range entries {
		if id, ok := strings.CutSuffix(entry.Name(), recordEnd); ok && !strings.HasPrefix(id, ".") {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// read returns ErrNothingActive when there is no such record.
func (r records) read(id string) (Record, error) {
	var record Record
	data, err := os.ReadFile(r.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return record, ErrNothingActive
	}
	if err != nil {
		return record, err
	}
	if err := json.Unmarshal(data, &record); err != nil {
		return record, fmt.Errorf("%s cannot be read: %w: `chaos stop --all --forget` drops it", r.path(id), err)
	}
	return record, nil
}

// of gives the records of the stack that was started then, the oldest first. Those of an earlier stack are dropped: their
// faults ended with it.
func (r records) of(started time.Time) ([]Record, error) {
	ids, err := r.ids()
	if err != nil {
		return nil, err
	}
	var found []Record
	var problems []error
	for _, id := range ids {
		record, err := r.read(id)
		switch {
		case errors.Is(err, ErrNothingActive): // ended just now
		case err != nil:
			problems = append(problems, err)
		case record.StackStartedAt.Equal(started):
			found = append(found, record)
		default:
			problems = append(problems, r.drop(id))
		}
	}
	slices.SortFunc(found, func(a, b Record) int { return a.InjectedAt.Compare(b.InjectedAt) })
	return found, errors.Join(problems...)
}

// put writes a record, or a newer account of it, in one step.
func (r records) put(record Record) error {
	data, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	next := filepath.Join(r.folder, "."+record.ID)
	if err := errors.Join(os.MkdirAll(r.folder, 0o700), os.WriteFile(next, append(data, '\n'), 0o600)); err != nil {
		return err
	}
	return os.Rename(next, r.path(record.ID))
}

// drop removes a record. One that is gone is no error.
func (r records) drop(id string) error {
	if err := os.Remove(r.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// lock keeps every other process from starting or taking away an experiment until unlock is called; the end of the process
// does that too.
func (r records) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(r.folder, 0o700); err != nil {
		return nil, err
	}
	folder, err := os.Open(r.folder)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = folder.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", r.folder, err), folder.Close())
		}
		if err := sleep(ctx, lockInterval); err != nil {
			return nil, errors.Join(fmt.Errorf("another process is taking a fault away: %w", err), folder.Close())
		}
	}
}
