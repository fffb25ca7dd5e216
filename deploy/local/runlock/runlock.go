// Package runlock is the lock that makes one supervisor per checkout: an flock, which the kernel frees when nobody holds
// the file open any more, however its holders ended.
package runlock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
)

// Holder is who took the lock, as written into its file.
type Holder struct {
	hostproc.ID
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

// HeldError says that a living supervisor has the lock.
type HeldError struct {
	Holder Holder
}

// Error names the holder and what to do.
func (e *HeldError) Error() string {
	return fmt.Sprintf("a stack of this checkout runs already: process %d (%s), since %s: "+
		"use it (`stack status`), or end it with `stack down`",
		e.Holder.PID, e.Holder.Command, e.Holder.Since.Local().Format(time.TimeOnly))
}

// Lock is the lock, held.
type Lock struct {
	file *os.File
}

// cleanUp is how long a guard may still hold the lock after its supervisor is gone: twice what it gives the processes,
// and time to remove the files.
const cleanUp = 15 * time.Second

const pause = 20 * time.Millisecond

// Acquire takes the lock for this process. It returns a *HeldError when a living supervisor has it, and waits when what
// a dead one left behind is still being cleaned up.
func Acquire(ctx context.Context, path, command string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the lock file: %w", err)
	}
	if err := take(ctx, file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	self, err := hostproc.Identify(os.Getpid())
	if err == nil {
		err = write(file, Holder{ID: self, Command: command, Since: time.Now().UTC()})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the lock file: %w", err), file.Close())
	}
	return &Lock{file: file}, nil
}

// take tries until it has the lock or knows that it will not get it.
func take(ctx context.Context, file *os.File) error {
	// Whoever has the lock without being written in the file as alive is about to write that, or only looks (Current),
	// or is a guard that cleans up: all of these pass.
	for began := time.Now(); ; {
		err := flock(file, syscall.LOCK_EX)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("lock %s: %w", file.Name(), err)
		}
		holder, err := read(file.Name())
		if err == nil && holder.Alive() {
			return &HeldError{Holder: holder}
		}
		if time.Since(began) > cleanUp {
			return fmt.Errorf("lock %s: held for %s by something that is no living supervisor: find it with `fuser %s`",
				file.Name(), cleanUp, file.Name())
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// Current tells who holds the lock; held is false when nobody does. A holder that is no longer alive, or none, means that
// a guard is still cleaning up.
func Current(path string) (holder Holder, held bool, err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return Holder{}, false, nil
	}
	if err != nil {
		return Holder{}, false, err
	}
	defer func() { _ = file.Close() }() // which also gives back the lock taken to look
	switch err := flock(file, syscall.LOCK_SH); {
	case err == nil:
		return Holder{}, false, nil
	case !errors.Is(err, syscall.EWOULDBLOCK):
		return Holder{}, false, fmt.Errorf("lock %s: %w", path, err)
	}
	holder, err = read(path)
	return holder, true, err
}

// File is the open file, for a guard that has to hold the lock too.
func (l *Lock) File() *os.File { return l.file }

// Release gives the lock back, as far as this process holds it, and no longer names it as the holder.
func (l *Lock) Release() error { return errors.Join(l.file.Truncate(0), l.file.Close()) }

// flock never waits.
func flock(file *os.File, how int) error {
	return syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
}

func write(file *os.File, holder Holder) error {
	data, err := json.Marshal(holder)
	if err != nil {
		return err
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.WriteAt(append(data, '\n'), 0)
	return err
}

// read gives the zero Holder, which is not alive, for an empty file: its holder has not written itself in yet, or has
// released it and left it to its guard.
func read(path string) (Holder, error) {
	data, err := os.ReadFile(path)
	if err != nil || len(data) == 0 {
		return Holder{}, err
	}
	var holder Holder
	if err := json.Unmarshal(data, &holder); err != nil {
		return Holder{}, fmt.Errorf("%s: %w", path, err)
	}
	return holder, nil
}
