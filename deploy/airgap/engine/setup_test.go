package engine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/faultline-lab/faultline/deploy/toolchain/progress"
)

// machine is one where nobody has CAP_SYS_RESOURCE.
func machine(t *testing.T) *setup {
	t.Helper()
	s := &setup{root: t.TempDir(), line: progress.New(nil)}
	put(t, s.at("proc/1/status"), "CapBnd:\t000001fffeffffff\n")
	return s
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// commands are shell scripts, the first ones on PATH.
func commands(t *testing.T, scripts map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, script := range scripts {
		put(t, filepath.Join(dir, name), "#!/bin/sh\n"+script)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return dir
}

// dockerThatSays is an engine that does not start containers.
func dockerThatSays(message string) map[string]string {
	return map[string]string{"docker": `case $1 in
version) echo 20.10 ;;
build) cat >/dev/null ;;
run) echo '` + message + `' >&2; exit 125 ;;
esac`}
}

func TestTheRuntimeIsGivenOnlyWhereCapabilitiesAreWhatFails(t *testing.T) {
	for name, test := range map[string]struct {
		message string
		written bool
	}{
		"capabilities":      {"OCI runtime create failed: unable to apply caps: operation not permitted", true},
		"no room":           {"write /var/lib/docker/x: no space left on device", false},
		"something similar": {"captain: operation not permitted", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := machine(t)
			commands(t, dockerThatSays(test.message))
			err := s.privileged(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("got %v", err)
			}
			if _, err := os.Stat(s.at(configuration)); (err == nil) != test.written || (len(s.changes) != 0) != test.written {
				t.Errorf("%s: %v, changes %v", configuration, err, s.changes)
			}
		})
	}
}

func TestWithoutGoNothingIsConcludedAboutContainers(t *testing.T) {
	s := machine(t)
	t.Setenv("PATH", commands(t, map[string]string{"docker": "echo 20.10"}))
	err := s.privileged(t.Context())
	if !errors.Is(err, exec.ErrNotFound) || !strings.Contains(err.Error(), "go on PATH") || strings.Contains(err.Error(), "privileged") {
		t.Errorf("got %v", err)
	}
	if len(s.changes) != 0 {
		t.Errorf("changed was %v", s.changes)
	}
}

// hearHangups makes sure that the children of the test are not deaf to SIGHUP: they inherit that from whoever ran the tests
// with nohup.
func hearHangups(t *testing.T) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hangups) })
}

func TestOnlyDockerdIsToldToReload(t *testing.T) {
	for name, test := range map[string]struct {
		command string
		ends    syscall.Signal
	}{
		"dockerd":                          {"dockerd", syscall.SIGHUP},
		"another with the number it had":   {"sleep", syscall.SIGTERM},
		"one whose name only begins so":    {"dockerd-rootless", syscall.SIGTERM},
		"nobody, as far as can be told":    {"", syscall.SIGTERM},
		"a number that is nobody's at all": {"gone", syscall.SIGTERM},
	} {
		t.Run(name, func(t *testing.T) {
			hearHangups(t)
			s := machine(t)
			child := exec.CommandContext(t.Context(), "sleep", "600")
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			put(t, s.at(pidFile), fmt.Sprintf("%d\n", child.Process.Pid))
			if test.command != "gone" {
				put(t, s.at(fmt.Sprintf("proc/%d/comm", child.Process.Pid)), test.command+"\n")
			}
			if err := s.reload(); (err == nil) != (test.ends == syscall.SIGHUP) {
				t.Errorf("got %v", err)
			}
			// It cannot be seen that a signal was not sent: the one that was sent first is what ends it.
			if err := child.Process.Signal(syscall.SIGTERM); err != nil {
				t.Log("it has ended")
			}
			_ = child.Wait() // by a signal
			if status := child.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != test.ends {
				t.Errorf("it was ended by %s, want %s", status.Signal(), test.ends)
			}
		})
	}
}

func TestUndoNamesOnlyThePackagesThatCame(t *testing.T) {
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	scripts := map[string]string{
		"dpkg-query": "cat " + state,
		"apt-get":    "[ $1 = update ] || printf 'installed iptables\ninstalled docker.io\nhalf-configured runc\n' >" + state + "; ",
	}
	for name, test := range map[string]struct {
		ends  string
		fails bool
	}{"it works": {"exit 0", false}, "it fails in the middle": {"[ $1 = update ]", true}} {
		t.Run(name, func(t *testing.T) {
			put(t, state, "installed iptables\nconfig-files docker.io\n")
			s := machine(t)
			commands(t, map[string]string{"dpkg-query": scripts["dpkg-query"], "apt-get": scripts["apt-get"] + test.ends})
			if err := s.apt(t.Context(), needed); (err != nil) != test.fails {
				t.Errorf("got %v", err)
			}
			if len(s.changes) != 1 || s.changes[0].Undo != "apt-get purge docker.io runc" {
				t.Errorf("told was %+v", s.changes)
			}
		})
	}
}

// TestTheUndoOfTheConfigurationTellsDockerdBeforeItTakesTheFile runs the very command, with a dockerd that keeps its runtime
// until it is told another one.
func TestTheUndoOfTheConfigurationTellsDockerdBeforeItTakesTheFile(t *testing.T) {
	hearHangups(t)
	root := t.TempDir()
	put(t, filepath.Join(root, configuration), string(daemonJSON()))
	put(t, filepath.Join(root, "runtime"), runtimeName)
	commands(t, map[string]string{"docker": "cat " + filepath.Join(root, "runtime")})
	dockerd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `trap 'grep -q "\"runc\"" "$0" && echo runc >"$1"' HUP
echo ready; while :; do sleep 0.05; done`, filepath.Join(root, configuration), filepath.Join(root, "runtime"))
	said, err := dockerd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := dockerd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dockerd.Process.Kill(); _ = dockerd.Wait() })
	if _, err := said.Read(make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(root, pidFile), fmt.Sprint(dockerd.Process.Pid))
	undo := strings.NewReplacer(configuration, filepath.Join(root, configuration), pidFile, filepath.Join(root, pidFile)).Replace(undoConfiguration)
	if output, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", undo).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if text, err := os.ReadFile(filepath.Join(root, "runtime")); err != nil || strings.TrimSpace(string(text)) != "runc" {
		t.Errorf("the default runtime is %s, %v", text, err)
	}
	if _, err := os.Stat(filepath.Join(root, configuration)); err == nil {
		t.Error("the configuration is still there")
	}
}
