package postgres

import (
	"io"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a server that runs as our child and does not outlive us.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when the server has gone
}

// startProcess runs the server. The kernel sends the death signal when the *thread* that started a child ends, so the
// goroutine that starts it keeps its thread until the child has gone.
func startProcess(spec Spec, log io.Writer) (*process, error) {
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = spec.Dir, spec.Env, log, log
	cmd.SysProcAttr = bound(spec.Credential, spec.DeathSignal)

	p := &process{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log; that it ended is what matters
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// stop ends the server in order, and less and less politely when that takes too long; it takes eight seconds at most.
func (p *process) stop() {
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{
		{syscall.SIGINT, 5 * time.Second},  // fast shutdown
		{syscall.SIGQUIT, 2 * time.Second}, // immediate shutdown
		{syscall.SIGKILL, time.Second},
	} {
		_ = p.cmd.Process.Signal(step.signal) // it may have gone by now
		select {
		case <-p.exited:
			return
		case <-time.After(step.wait):
		}
	}
}
