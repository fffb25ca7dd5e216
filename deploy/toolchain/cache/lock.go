package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// retryEvery is how often a waiting process looks whether it is its turn.
const retryEvery = 200 * time.Millisecond

// Lock is held on one place of the cache. The kernel lets go of it when its process dies, however it dies.
type Lock struct{ file *os.File }

// Acquire takes the lock at path, whose folder it makes when needed, and writes holder into it, for those who
// wait. While another process holds the lock, waiting is called every 200 ms with what that process wrote. It fails
// when ctx ends first.
func Acquire(ctx context.Context, path, holder string, waiting func(holder string)) (*Lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("the cache cannot be written; %s names another place: %w", Variable, err)
	}
	for attempt := 0; ; attempt++ {
		lock, err := TryAcquire(path, holder)
		var held *HeldError
		if !errors.As(err, &held) {
			return lock, err
		}
		// One who has only just taken the lock signs it in a moment: then it can be said for whom to wait.
		if waiting != nil && (held.Holder != unsigned || attempt > 0) {
			waiting(held.Holder)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for %s: %w", held.Holder, context.Cause(ctx))
		case <-time.After(retryEvery):
		}
	}
}

// HeldError says that another process holds the lock.
type HeldError struct{ Holder string }

func (e *HeldError) Error() string { return "held by " + e.Holder }

// TryAcquire takes the lock, or fails with a *HeldError when another process holds it. The folder must exist.
func TryAcquire(path, holder string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("the cache cannot be written; %s names another place: %w", Variable, err)
	}
	lock := &Lock{file: file}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil, errors.Join(&HeldError{Holder: lock.holder()}, file.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	if err := lock.sign(holder); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return lock, nil
}

// sign writes who holds the lock.
func (l *Lock) sign(holder string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(holder+"\n"), 0)
	return err
}

// unsigned is the name of a holder that has not signed yet.
const unsigned = "another process"

// holder reads who holds the lock.
func (l *Lock) holder() string {
	text, err := io.ReadAll(io.NewSectionReader(l.file, 0, 200))
	if name := strings.TrimSpace(string(text)); err == nil && name != "" {
		return name
	}
	return unsigned
}

// Release lets the next one in. The file stays: removing it would let two hold locks on two files of one name.
func (l *Lock) Release() error {
	return errors.Join(l.file.Truncate(0), l.file.Close())
}
