package guard

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
	"github.com/faultline-lab/faultline/deploy/local/internal/fakeservice"
	"github.com/faultline-lab/faultline/deploy/local/process"
	"github.com/faultline-lab/faultline/deploy/local/runlock"
)

// In the environment of a re-exec'd test binary: what it is.
const (
	roleVariable   = "FAULTLINE_TEST_ROLE"
	folderVariable = "FAULTLINE_TEST_FOLDER"
)

func TestMain(m *testing.M) {
	fakeservice.ServeIfChild()
	switch os.Getenv(roleVariable) {
	case "guard":
		if err := Serve(os.Stdin, slog.New(slog.NewTextHandler(os.Stdout, nil))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case "supervisor":
		if err := supervise(os.Getenv(folderVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// bound is how long a test waits for what has to come; it is no expectation.
const bound = 30 * time.Second

func mark(folder string) string { return "FAULTLINE_TEST_MARK=" + folder }

// supervise is a supervisor in the small: a lock, a guard, and three children, one of which ignores SIGTERM and one of
// which has a child in a group of its own. It prints who they are and runs until its standard input closes; then it
// leaves them to the guard.
func supervise(folder string) error {
	lock, err := runlock.Acquire(context.Background(), filepath.Join(folder, "lock"), "test")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.Setenv(roleVariable, "guard"); err != nil {
		return err
	}
	client, err := Start(Config{
		Command: []string{self}, Lock: lock.File(), LogFile: filepath.Join(folder, "guard.log"), Mark: mark(folder),
	})
	if err != nil {
		return err
	}
	if err := errors.Join(client.Remove(filepath.Join(folder, "stack.json")), client.Remove(filepath.Join(folder, "data"))); err != nil {
		return err
	}
	launcher, err := process.NewLauncher(client)
	if err != nil {
		return err
	}
	grandchild := filepath.Join(folder, "grandchild")
	var ids []hostproc.ID
	for i, options := range []fakeservice.Options{{}, {IgnoreTERM: true}, {Grandchild: grandchild}} {
		path, args, env, err := fakeservice.Command(options)
		if err != nil {
			return err
		}
		spec := process.Spec{
			Path: path, Args: args, Env: append(env, mark(folder)), LogFile: filepath.Join(folder, fmt.Sprint(i, ".log")),
			DeathSignal: syscall.SIGKILL,
		}
		if i == 1 {
			spec.DeathSignal = syscall.SIGTERM // which it ignores
		}
		child, err := launcher.Start(spec)
		if err != nil {
			return err
		}
		ids = append(ids, identity(child.PID()))
	}
	pid := 0
	for pid == 0 {
		data, _ := os.ReadFile(grandchild) // until it is there
		pid, _ = strconv.Atoi(string(data))
		time.Sleep(time.Millisecond)
	}
	if err := json.NewEncoder(os.Stdout).Encode(append(ids, identity(pid))); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, client.Close())
}

func identity(pid int) hostproc.ID {
	id, err := hostproc.Identify(pid)
	if err != nil {
		panic(err)
	}
	return id
}

// supervisor is a running supervise.
type supervisor struct {
	folder string
	cmd    *exec.Cmd
	stdin  io.Closer
	ids    []hostproc.ID
}

func startSupervisor(t *testing.T) supervisor {
	t.Helper()
	folder := t.TempDir()
	for _, file := range []string{"stack.json", "data/PG_VERSION"} {
		path := filepath.Join(folder, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleVariable+"=supervisor", folderVariable+"="+folder)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	s := supervisor{folder: folder, cmd: cmd, stdin: stdin}
	if err := json.Unmarshal(line, &s.ids); err != nil || len(s.ids) != 4 {
		t.Fatalf("%s: %v", line, err)
	}
	for _, id := range s.ids {
		if !id.Alive() {
			t.Fatalf("process %d is not alive before the test", id.PID)
		}
	}
	return s
}

// nothingLeft waits until the lock is free and then checks that everything is gone: the lock is the guard's promise.
func (s supervisor) nothingLeft(t *testing.T) {
	t.Helper()
	path := filepath.Join(s.folder, "lock")
	for deadline := time.Now().Add(bound); ; time.Sleep(5 * time.Millisecond) {
		_, held, err := runlock.Current(path)
		if err != nil {
			t.Fatal(err)
		}
		if !held {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the lock is still held")
		}
	}
	for i, id := range s.ids {
		if id.Alive() {
			t.Errorf("process %d (number %d) is still alive", id.PID, i)
			_ = id.Signal(syscall.SIGKILL)
		}
	}
	for _, file := range []string{"stack.json", "data"} {
		if _, err := os.Stat(filepath.Join(s.folder, file)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there (%v)", file, err)
		}
	}
	lock, err := runlock.Acquire(t.Context(), path, "the next one")
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

func TestNothingIsLeftWhenTheSupervisor(t *testing.T) {
	for name, end := range map[string]func(s supervisor) error{
		"is killed":                         func(s supervisor) error { return s.cmd.Process.Kill() },
		"is killed with its whole group":    func(s supervisor) error { return syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) },
		"ends in order":                     func(s supervisor) error { return s.stdin.Close() },
		"is killed after its guard was":     killGuardFirst,
		"is killed together with its guard": killBoth,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startSupervisor(t)
			if err := end(s); err != nil {
				t.Fatal(err)
			}
			_ = s.cmd.Wait() // it was killed
			if name == "is killed together with its guard" {
				s.sweep(t)
			}
			s.nothingLeft(t)
		})
	}
}

// guardOf finds the guard: the child of the supervisor that leads a session.
func guardOf(s supervisor) (int, error) {
	for deadline := time.Now().Add(bound); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		for _, id := range hostproc.Family(s.cmd.Process.Pid) {
			session, err := unix.Getsid(id.PID)
			if err == nil && session == id.PID && id.PID != s.cmd.Process.Pid {
				return id.PID, nil
			}
		}
	}
	return 0, errors.New("there is no guard")
}

// killGuardFirst kills the guard, waits until there is another, and kills the supervisor.
func killGuardFirst(s supervisor) error {
	first, err := guardOf(s)
	if err != nil {
		return err
	}
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		return err
	}
	for second := first; second == first; {
		if second, err = guardOf(s); err != nil {
			return err
		}
	}
	return s.cmd.Process.Kill()
}

func killBoth(s supervisor) error {
	pid, err := guardOf(s)
	if err != nil {
		return err
	}
	return errors.Join(syscall.Kill(pid, syscall.SIGKILL), s.cmd.Process.Kill())
}

// sweep does what the next start, or `stack down`, does when nobody was left to clean up.
func (s supervisor) sweep(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux shows the environment of processes: what is left when supervisor and guard are killed together is not found elsewhere")
	}
	Sweep(mark(s.folder))
	for _, file := range []string{"stack.json", "data"} {
		if err := os.RemoveAll(filepath.Join(s.folder, file)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPidThatBelongsToAnotherProcessIsLeftAlone(t *testing.T) {
	path, args, env, err := fakeservice.Command(fakeservice.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	now := identity(cmd.Process.Pid)
	earlier := hostproc.ID{PID: now.PID, Start: now.Start + "0"}
	line, err := json.Marshal(message{Op: opStarted, ID: earlier, Signal: syscall.SIGKILL})
	if err != nil {
		t.Fatal(err)
	}
	if err := Serve(strings.NewReader(string(line)+"\n"), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if !now.Alive() {
		t.Error("it was killed in place of a process that is long gone")
	}
}

func TestALineThatCannotBeReadEndsEverything(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "stack.json")
	if err := os.WriteFile(gone, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(message{Op: opRemove, Path: gone})
	if err != nil {
		t.Fatal(err)
	}
	if err := Serve(strings.NewReader(string(line)+"\nnonsense\n"), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}
