package hostproc

import (
	"errors"
	"fmt"
	"syscall"
)

// ErrGone says that there is no such process any more. A zombie is gone too: it runs nothing and holds nothing.
var ErrGone = errors.New("no such process")

// ErrUnsupported says that this operating system does not tell.
var ErrUnsupported = errors.New("this operating system does not tell (Linux does)")

// ID identifies a process beyond doubt: the kernel gives a pid out again, but not with the same start time.
type ID struct {
	PID   int    `json:"pid"`
	Start string `json:"start"` // opaque, compared for equality
}

// Alive says whether exactly this process still runs.
func (id ID) Alive() bool {
	now, err := Identify(id.PID)
	return err == nil && now == id
}

// Signal sends the signal to this process, unless the pid belongs to another one by now; then it returns ErrGone.
func (id ID) Signal(sig syscall.Signal) error {
	if !id.Alive() {
		return fmt.Errorf("process %d: %w", id.PID, ErrGone)
	}
	return syscall.Kill(id.PID, sig)
}
