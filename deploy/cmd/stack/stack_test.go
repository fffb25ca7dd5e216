package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/deploy/local/runlock"
	"github.com/faultline-lab/faultline/deploy/local/stack"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"stack": main})
}

func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/quick",
		Setup: setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"binaries": binaries, "take-port": takePort, "hold-lock": holdLock,
		},
		RequireExplicitExec: true,
	})
}

// setup gives every script a checkout (a folder with go.work) and ports that nothing listens on.
func setup(env *testscript.Env) error {
	set, err := ports.Free(context.Background())
	if err != nil {
		return err
	}
	for name, port := range set {
		env.Setenv(name.Variable(), fmt.Sprint(port))
	}
	return os.WriteFile(filepath.Join(env.WorkDir, "go.work"), nil, 0o600)
}

// binaries puts files where our binaries are looked for. The scripts end before one would be started.
func binaries(ts *testscript.TestScript, _ bool, _ []string) {
	bin := ts.MkAbs(".faultline/bin")
	ts.Check(os.MkdirAll(bin, 0o700))
	for _, program := range stack.Binaries() {
		ts.Check(os.WriteFile(filepath.Join(bin, program), nil, 0o700))
	}
}

// takePort NAME listens on the port of that name until the script ends.
func takePort(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", net.JoinHostPort(ports.Host, ts.Getenv(ports.Name(args[0]).Variable())))
	ts.Check(err)
	ts.Defer(func() { _ = listener.Close() })
}

// holdLock takes the lock, as another supervisor would, until the script ends.
func holdLock(ts *testscript.TestScript, _ bool, _ []string) {
	path := ts.MkAbs(".faultline/run/lock")
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	lock, err := runlock.Acquire(context.Background(), path, "stack run")
	ts.Check(err)
	ts.Setenv("HOLDER", fmt.Sprint(os.Getpid()))
	ts.Defer(func() { _ = lock.Release() })
}

func TestAClosedInputEndsTheContext(t *testing.T) {
	reader, writer := io.Pipe()
	ctx := untilClosed(t.Context(), reader)
	if ctx.Err() != nil {
		t.Fatal("it has ended before")
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	if !errors.Is(context.Cause(ctx), errInputClosed) {
		t.Errorf("the cause is %v", context.Cause(ctx))
	}
}
