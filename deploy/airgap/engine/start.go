package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/deploy/airgap/docker"
)

// startWithin bounds how long an engine takes to answer after its start.
const startWithin = 90 * time.Second

// start has systemd start the engine where systemd runs, and starts it itself elsewhere, to outlive this program.
func (s *setup) start(ctx context.Context) error {
	if err := s.mustBeRoot("to start a Docker engine"); err != nil {
		return err
	}
	if _, err := os.Stat(s.at("run/systemd/system")); err == nil {
		if output, err := exec.CommandContext(ctx, "systemctl", "start", "docker").CombinedOutput(); err != nil {
			return fmt.Errorf("systemctl start docker (journalctl -u docker says more): %w: %s", err, output)
		}
		s.changed("started the service docker", "systemctl stop docker")
		return s.answers(ctx, nil, "journalctl -u docker")
	}
	return s.startAlone(ctx)
}

// startAlone starts dockerd with a log and a file with its process id.
func (s *setup) startAlone(ctx context.Context) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	logPath := filepath.Join(s.dir, "dockerd.log")
	log, err := os.Create(logPath)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command("dockerd")
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("dockerd: %w", err)
	}
	pidPath := filepath.Join(s.dir, "dockerd.pid")
	if err := os.WriteFile(pidPath, []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o644); err != nil {
		return errors.Join(err, cmd.Process.Signal(syscall.SIGTERM))
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := s.answers(ctx, ended, logPath); err != nil {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		return err
	}
	s.changed(fmt.Sprintf("started dockerd, process %d, whose log is %s", cmd.Process.Pid, logPath), "kill $(cat "+pidPath+")")
	return nil
}

// answers waits until the engine does. ended tells when it never will; log is where it says why.
func (s *setup) answers(ctx context.Context, ended <-chan error, log string) error {
	bounded, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for {
		_, err := docker.Find(bounded)
		if err == nil {
			return nil
		}
		s.line.Update("waiting for the Docker engine")
		select {
		case why := <-ended:
			return fmt.Errorf("dockerd ended at once: %w. %s says:\n%s", errors.Join(errors.New("it never answered"), why), log,
				lastLines(log))
		case <-bounded.Done():
			return errors.Join(fmt.Errorf("the Docker engine does not answer; look into %s", log), context.Cause(bounded), err)
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// lastLines are the end of a log.
func lastLines(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	const enough = 12
	return strings.Join(lines[max(0, len(lines)-enough):], "\n")
}
