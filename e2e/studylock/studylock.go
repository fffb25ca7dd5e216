// Package studylock keeps two studies in one checkout from disturbing each other.
package studylock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Acquire makes this process the only study of the checkout. The kernel takes the lock back when the process ends,
// however it ends. The error names the process that has it.
func Acquire(root, what string) (release func(), err error) {
	path := filepath.Join(root, ".faultline", "study.lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path)
		_ = file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return nil, fmt.Errorf("%s runs in this checkout already: wait for it, or end it with Ctrl-C in its terminal",
			strings.TrimSpace(string(holder)))
	}
	err = file.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintf(file, "%s (pid %d)\n", what, os.Getpid())
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}
