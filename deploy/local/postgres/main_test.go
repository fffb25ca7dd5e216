package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/faultline-lab/faultline/deploy/beside"
)

// helperVariable makes the test binary act as a program that runs a command with PostgreSQL, so that a test can kill it.
const helperVariable = "FAULTLINE_TEST_RUNWITH"

func TestMain(m *testing.M) {
	if command := os.Getenv(helperVariable); command != "" {
		err := RunWith(context.Background(), Options{}, os.Stdout, os.Stderr, []string{"/bin/sh", "-c", command})
		var exit *beside.ExitError
		switch {
		case errors.As(err, &exit):
			os.Exit(exit.Code)
		case err != nil:
			fmt.Fprintln(os.Stderr, err)
			os.Exit(70)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// reachableDir is a temporary folder that the unprivileged user can enter; t.TempDir is closed to others.
func reachableDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "faultline-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// installation is a real PostgreSQL, this machine's or npm's.
func installation(t *testing.T) Installation {
	t.Helper()
	found, err := Find(t.Context(), FindOptions{})
	if errors.Is(err, ErrNotFound) && os.Getenv("CI") != "true" {
		t.Skipf("NOT TESTED: everything that needs a real PostgreSQL. %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// standalone is a real server, gone with the test.
func standalone(t *testing.T, opts Options) *Server {
	t.Helper()
	installation(t)
	server, err := Standalone(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}
