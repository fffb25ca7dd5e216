package beside

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/term"
)

// endWithin is how long a command may take to end after it was asked to.
const endWithin = 10 * time.Second

// ExitError says that the command ran and failed. A command that a signal ended has 128 plus the signal's number, as
// in a shell.
type ExitError struct{ Code int }

func (e *ExitError) Error() string {
	return fmt.Sprintf("the command failed with exit code %d", e.Code)
}

// Command makes the command that argv names, with our environment and standard input. It fails when there is no such
// program, so that nobody starts a server for nothing.
func Command(argv []string) (*exec.Cmd, error) {
	if len(argv) == 0 {
		return nil, errors.New("no command was given: put it after --")
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, argv[1:]...)
	cmd.Env, cmd.Stdin = os.Environ(), os.Stdin
	cmd.WaitDelay = 2 * time.Second // for output that a grandchild holds open
	return cmd, nil
}

// Run waits for the command. It returns an *ExitError when the command failed. When ctx ends, the command is asked to
// end, then made to.
func Run(ctx context.Context, cmd *exec.Cmd) error {
	end := alone(cmd)
	started, done := make(chan error, 1), make(chan error, 1)
	go func() {
		// The death signal belongs to the thread that started the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			done <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	select {
	case err := <-done:
		return exitError(err)
	case <-ctx.Done():
	}
	end(syscall.SIGTERM)
	var ended error
	select {
	case ended = <-done:
	case <-time.After(endWithin):
		end(syscall.SIGKILL)
		ended = <-done
	}
	return errors.Join(fmt.Errorf("interrupted: %w", context.Cause(ctx)), ended)
}

// alone decides who gets the signals meant for the command. At a terminal it stays in the foreground group: it may read
// the terminal, and Ctrl-C reaches all of it. Elsewhere it has a group of its own, and signals go to all of that.
func alone(cmd *exec.Cmd) (end func(syscall.Signal)) {
	cmd.SysProcAttr = bound(syscall.SIGTERM)
	if term.IsTerminal(int(os.Stdin.Fd())) {
		cmd.SysProcAttr.Setpgid = false
		return func(signal syscall.Signal) { _ = cmd.Process.Signal(signal) } // it may have gone by now
	}
	return func(signal syscall.Signal) { _ = syscall.Kill(-cmd.Process.Pid, signal) }
}

func exitError(err error) error {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return &ExitError{Code: 128 + int(status.Signal())}
	}
	return &ExitError{Code: exit.ExitCode()}
}
