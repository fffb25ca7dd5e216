package beside

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// Server is a throwaway server that runs as our child and does not outlive us. Its output is in a log file.
type Server struct {
	name    string
	logFile string
	cmd     *exec.Cmd
	exited  chan struct{}
}

// Start starts a server in dir, which also gets its log: DIR/NAME.log.
func Start(dir, name, path string, args ...string) (*Server, error) {
	s := &Server{name: name, logFile: filepath.Join(dir, name+".log"), exited: make(chan struct{})}
	log, err := os.Create(s.logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own copy
	s.cmd = exec.Command(path, args...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, log, log
	s.cmd.SysProcAttr = bound(syscall.SIGKILL)
	started := make(chan error, 1)
	go func() {
		// The kernel sends the death signal when the thread that started a child ends: keep it until the child has gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			_ = s.cmd.Wait() // how it ended is in its log; that it ended is what matters
			close(s.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return s, nil
}

// Exited is closed when the server has gone.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Kill ends the server and waits until it has gone. It is not asked first: nothing of a throwaway server is kept.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may have gone by now
	<-s.exited
}

// Explain adds the end of the server's log to an error.
func (s *Server) Explain(err error) error {
	said, readErr := os.ReadFile(s.logFile)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	lines := strings.Split(strings.TrimRight(string(said), "\n"), "\n")
	return fmt.Errorf("%w\n%s said last:\n  %s", err, s.name, strings.Join(lines[max(0, len(lines)-8):], "\n  "))
}
