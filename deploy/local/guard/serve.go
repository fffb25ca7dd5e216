package guard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
)

// patience is how long a process has to obey its death signal before SIGKILL.
const patience = 2 * time.Second

// pause is the time between two looks at whether the processes are gone.
const pause = 20 * time.Millisecond

// charge is all that a guard was told to end and to remove.
type charge struct {
	signals map[hostproc.ID]syscall.Signal
	paths   []string
	mark    string
}

// Serve reads messages until the pipe closes, then ends every process that was started and has not ended, and removes
// what it was told to. It returns an error when something could not be ended or removed.
func Serve(pipe io.Reader, log *slog.Logger) error {
	held := charge{signals: map[hostproc.ID]syscall.Signal{}}
	decoder := json.NewDecoder(pipe)
	for {
		var next message
		err := decoder.Decode(&next)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			// Whatever the line was, the supervisor cannot be relied on any more.
			log.Error("unreadable message: ending everything", "err", err)
			break
		}
		held.take(next)
	}
	return held.end(log)
}

func (c *charge) take(m message) {
	switch m.Op {
	case opStarted:
		c.signals[m.ID] = m.Signal
	case opEnded:
		delete(c.signals, m.ID)
	case opRemove:
		c.paths = append(c.paths, m.Path)
	case opMark:
		c.mark = m.Mark
	}
}

func (c *charge) end(log *slog.Logger) error {
	if len(c.signals) > 0 {
		log.Info("the supervisor is gone: ending what it left", "processes", len(c.signals))
	}
	left := c.signalAll()
	await(left, patience)
	for _, id := range left {
		if err := id.Signal(syscall.SIGKILL); err == nil {
			log.Info("killed", "pid", id.PID)
		}
	}
	var errs []error
	for _, id := range await(left, patience) {
		errs = append(errs, fmt.Errorf("process %d does not end on SIGKILL", id.PID))
	}
	if c.mark != "" {
		if swept := Sweep(c.mark); len(swept) > 0 {
			log.Info("swept", "processes", len(swept))
		}
	}
	for _, path := range c.paths {
		errs = append(errs, os.RemoveAll(path))
	}
	return errors.Join(errs...)
}

// signalAll sends every process its death signal and returns all who have to be gone: the processes, their groups and
// what descends from them.
func (c *charge) signalAll() []hostproc.ID {
	var left []hostproc.ID
	for id, death := range c.signals {
		if now, err := hostproc.Identify(id.PID); err == nil && now != id {
			continue // the pid is another's by now, so nobody of this group can be left
		}
		// The leader may be dead with members of its group still alive; as long as they are, the pid stays theirs.
		family := hostproc.Family(id.PID)
		left = append(left, family...)
		if death == syscall.SIGKILL {
			for _, member := range family {
				_ = member.Signal(death) // those that ended meanwhile are what is wanted
			}
			continue
		}
		_ = id.Signal(death)
	}
	return left
}

// await waits until none of them is alive, at most this long, and returns those that are.
func await(ids []hostproc.ID, atMost time.Duration) []hostproc.ID {
	for deadline := time.Now().Add(atMost); ; time.Sleep(pause) {
		ids = slices.DeleteFunc(slices.Clone(ids), func(id hostproc.ID) bool { return !id.Alive() })
		if len(ids) == 0 || time.Now().After(deadline) {
			return ids
		}
	}
}

// Sweep kills every process that carries the setting in its environment and returns those it killed. It is for what no
// list has: children whose supervisor and guard were killed in the moment of their start. It finds nothing where the
// operating system does not show environments.
func Sweep(mark string) []hostproc.ID {
	var killed []hostproc.ID
	for {
		found := hostproc.WithEnv(mark)
		if len(found) == 0 {
			return killed
		}
		for _, id := range found {
			_ = id.Signal(syscall.SIGKILL) // one that has ended meanwhile is as good
		}
		killed = append(killed, found...)
		if len(await(found, patience)) > 0 {
			return killed // not ours to kill: another user's
		}
	}
}
