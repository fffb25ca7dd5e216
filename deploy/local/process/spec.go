package process

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// Spec says how to run one process.
type Spec struct {
	Name string
	Path string
	Args []string
	Env  []string // all of it: nothing is inherited
	Dir  string   // working folder; empty = the supervisor's
	// Credential is the user to run as; nil = the supervisor's own.
	Credential *syscall.Credential
	LogFile    string
	// Probe returns nil when the process is ready. It is asked every few milliseconds, with a context of one second.
	Probe func(context.Context) error

	StopSignal  syscall.Signal // asks for an orderly end; default SIGTERM
	StopTimeout time.Duration  // how long that may take before SIGKILL; default 5 s
	// DeathSignal is what it gets when the supervisor was killed; default SIGKILL. For a program that would leave
	// something behind in the machine then: Postgres, its shared memory.
	DeathSignal syscall.Signal
}

func (s *Spec) defaults() error {
	if s.Name == "" || s.Path == "" || s.LogFile == "" || s.Probe == nil {
		return errors.New("process: a spec needs name, path, log file and probe")
	}
	if s.StopSignal == 0 {
		s.StopSignal = syscall.SIGTERM
	}
	if s.StopTimeout == 0 {
		s.StopTimeout = 5 * time.Second
	}
	if s.DeathSignal == 0 {
		s.DeathSignal = syscall.SIGKILL
	}
	return nil
}

// Status is what is known of a process at one moment.
type Status struct {
	State     State
	StartID   string // new at every start; empty before the first
	PID       int    // 0 when no child runs
	StartedAt time.Time
	ReadyAt   time.Time // zero until ready
	Restarts  int       // starts after the first, whoever asked for them
	Relapses  int       // those of them that nobody asked for: the process had ended by itself
	// Failures counts the ends in a row that nobody asked for, since it was last ready.
	Failures int
	LastEnd  string // how the last child ended, in words
}

// Child is one running child. Its methods may be called by several goroutines.
type Child interface {
	PID() int
	// Wait returns how the child ended, in words, when it has.
	Wait() string
	Signal(sig syscall.Signal) error
	// Kill ends the child and everything in its process group at once.
	Kill() error
}

// Starter starts children.
type Starter interface {
	Start(spec Spec) (Child, error)
}
