package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/faultline-lab/faultline/deploy/local"
	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/deploy/local/hostproc"
	"github.com/faultline-lab/faultline/deploy/local/runlock"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// TestRealStack starts everything: Postgres, the tools, the services, the healer. The binaries are those of `make build`.
func TestRealStack(t *testing.T) {
	bin, err := builtBinaries()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("NOT TESTED: start, SIGKILL and stop of the real stack: %v; `make test` provides what it needs", err)
	}
	cache := os.Getenv("FAULTLINE_CACHE_DIR")
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/real",
		Setup: func(env *testscript.Env) error {
			// The tools are in the user's cache, and Go, which their key depends on, needs its own folders.
			env.Setenv("HOME", home)
			env.Setenv("FAULTLINE_CACHE_DIR", cache)
			return errors.Join(setup(env), os.Mkdir(filepath.Join(env.WorkDir, ".faultline"), 0o700),
				os.Symlink(bin, filepath.Join(env.WorkDir, ".faultline", "bin")))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"kill-supervisor": killSupervisor, "nothing-left": nothingLeft,
		},
		RequireExplicitExec: true,
	})
}

func builtBinaries() (string, error) {
	root, err := folders.FindRoot(".")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(root, ".faultline", "bin")
	_, err = os.Stat(filepath.Join(bin, "orders"))
	return bin, err
}

func paths(ts *testscript.TestScript) folders.Folders {
	found, err := folders.In(ts.Getenv("WORK"))
	ts.Check(err)
	return found
}

// killSupervisor sends SIGKILL to the supervisor; with "group", to its whole process group.
func killSupervisor(ts *testscript.TestScript, _ bool, args []string) {
	running, err := endpoints.Read(paths(ts).Stack)
	ts.Check(err)
	pid := running.PID
	if len(args) > 0 {
		pid = -pid
	}
	ts.Check(syscall.Kill(pid, syscall.SIGKILL))
}

// nothingLeft waits until the lock is free and then looks for what must not be there.
func nothingLeft(ts *testscript.TestScript, _ bool, _ []string) {
	at := paths(ts)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(look) {
		_, held, err := runlock.Current(at.Lock)
		ts.Check(err)
		if !held {
			break
		}
		if time.Now().After(deadline) {
			ts.Fatalf("the lock is still held")
		}
	}
	if left := hostproc.WithEnv(local.Mark(at)); len(left) > 0 {
		ts.Fatalf("processes are left: %v", left)
	}
	for _, file := range []string{at.Stack, at.ControlToken, at.WebhookToken} {
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			ts.Fatalf("%s is left", file)
		}
	}
}
