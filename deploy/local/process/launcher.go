package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
)

// Registrar is told of every child, so that somebody can end it when this process is no longer there to do so.
type Registrar interface {
	Started(id hostproc.ID, death syscall.Signal) error
	Ended(id hostproc.ID)
}

// Launcher starts real children, each the leader of its own process group with its output in its log file.
//
// On Linux they die with the supervisor (Pdeathsig). The kernel ties that to the thread that started them, so all are
// started from one thread that lives as long as the launcher.
type Launcher struct {
	registrar Registrar
	jobs      chan func()
}

// NewLauncher returns a launcher; Close ends it, and with it, on Linux, every child that still runs.
func NewLauncher(registrar Registrar) (*Launcher, error) {
	if registrar == nil {
		return nil, errors.New("process: a launcher needs a registrar")
	}
	l := &Launcher{registrar: registrar, jobs: make(chan func())}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		for job := range l.jobs {
			job()
		}
	}()
	return l, nil
}

// Close ends the launcher's thread.
func (l *Launcher) Close() { close(l.jobs) }

// Start starts one child. The log file is appended to.
func (l *Launcher) Start(spec Spec) (Child, error) {
	log, err := os.OpenFile(spec.LogFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the log file: %w", err)
	}
	defer func() { _ = log.Close() }() // the child has its own copy
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = spec.Env, spec.Dir, log, log
	if cmd.Env == nil {
		cmd.Env = []string{} // nil would mean: inherit
	}
	cmd.SysProcAttr = attributes(spec)

	result := make(chan error, 1)
	l.jobs <- func() { result <- cmd.Start() }
	if err := <-result; err != nil {
		return nil, err
	}
	started := &child{cmd: cmd, registrar: l.registrar}
	if started.id, err = hostproc.Identify(cmd.Process.Pid); errors.Is(err, hostproc.ErrGone) {
		return started, nil // ended already; Wait says how
	}
	if err == nil {
		err = l.registrar.Started(started.id, spec.DeathSignal)
	}
	if err != nil {
		// Unguarded it could outlive the supervisor: rather not at all.
		return nil, errors.Join(err, started.Kill(), cmd.Wait())
	}
	return started, nil
}

type child struct {
	cmd       *exec.Cmd
	id        hostproc.ID
	registrar Registrar
}

func (c *child) PID() int { return c.cmd.Process.Pid }

func (c *child) Signal(sig syscall.Signal) error { return c.cmd.Process.Signal(sig) }

func (c *child) Kill() error { return syscall.Kill(-c.PID(), syscall.SIGKILL) }

func (c *child) Wait() string {
	err := c.cmd.Wait()
	// What it started goes with it. The kernel gives no pid out that is still the number of a group.
	_ = c.Kill()
	if c.id.PID != 0 {
		c.registrar.Ended(c.id)
	}
	if err == nil {
		return "it ended with exit code 0"
	}
	return fmt.Sprintf("it ended with %v", err)
}
