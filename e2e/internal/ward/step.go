package ward

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// slice is for how long the healer may run between two looks at its file. A state lasts for a write to disk at least, so none
// is passed by unseen.
const slice = time.Millisecond

// Seen is what the healer's file says while the healer stands still.
type Seen struct {
	Waiting   []incident.Alert    // on disk, in no incident yet
	Incidents []incident.Incident // oldest first
}

// errNotCome says that the moment that was waited for did not come.
var errNotCome = errors.New("the moment did not come")

// StopWhen lets the healer run in slices of a millisecond, looks at its file after each, and leaves it standing when the
// moment has come: the healer has done nothing since. It goes on when goOn is called, or with the end of the test.
func (w *Ward) StopWhen(t *testing.T, bound time.Duration, come func(Seen) bool) (seen Seen, goOn func(), err error) {
	t.Helper()
	pid := w.Healer(t).PID
	goOn = func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
	t.Cleanup(goOn) // a process that has ended is none of ours
	for over := time.Now().Add(bound); time.Now().Before(over); {
		if err := stand(pid); err != nil {
			return seen, goOn, err
		}
		if seen, err = w.look(t.Context()); err != nil {
			return seen, goOn, err
		}
		if come(seen) {
			return seen, goOn, nil
		}
		goOn()
		time.Sleep(slice)
	}
	return seen, goOn, errNotCome
}

// KillWhen is StopWhen with SIGKILL at the moment.
func (w *Ward) KillWhen(t *testing.T, bound time.Duration, come func(Seen) bool) bool {
	t.Helper()
	pid := w.Healer(t).PID
	_, _, err := w.StopWhen(t, bound, come)
	if errors.Is(err, errNotCome) {
		return false
	}
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
	return true
}

func (w *Ward) look(ctx context.Context) (Seen, error) {
	waiting, err := w.Waiting(ctx)
	if err != nil {
		return Seen{}, err
	}
	incidents, err := w.Incidents(ctx)
	return Seen{waiting, incidents}, err
}

// stand stops a process and returns when it stands.
func stand(pid int) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	for range 1000 {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return err
		}
		// pid (name) state ...: the name may hold anything but ends with the last bracket.
		if _, rest, ok := strings.Cut(string(data[strings.LastIndexByte(string(data), ')'):]), " "); ok && strings.HasPrefix(rest, "T") {
			return nil
		}
		time.Sleep(50 * time.Microsecond)
	}
	return fmt.Errorf("process %d does not stand", pid)
}
