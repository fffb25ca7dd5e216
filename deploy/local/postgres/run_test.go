package postgres

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/deploy/beside"
	"github.com/faultline-lab/faultline/deploy/beside/besidetest"
)

func TestRunWith(t *testing.T) {
	installation(t)
	for name, test := range map[string]struct {
		command string
		code    int
	}{
		"a command that succeeds":                {`test -n "$FAULTLINE_TEST_POSTGRES_URL"`, 0},
		"a command's exit code is passed on":     {"exit 7", 7},
		"a command that a signal ended":          {"kill -TERM $$", 128 + 15},
		"a child of it that outlives it a while": {"sleep 5 & exit 3", 3},
	} {
		t.Run(name, func(t *testing.T) {
			var output bytes.Buffer
			err := RunWith(t.Context(), Options{}, &output, &output, []string{"/bin/sh", "-c", test.command})
			var exit *beside.ExitError
			if errors.As(err, &exit) {
				if exit.Code != test.code {
					t.Errorf("exit code %d, want %d", exit.Code, test.code)
				}
			} else if err != nil || test.code != 0 {
				t.Errorf("got %v, want exit code %d", err, test.code)
			}
		})
	}
}

func TestRunWithRefusesBeforeItStartsAServer(t *testing.T) {
	for name, argv := range map[string][]string{
		"no command":                  nil,
		"a command that is not there": {"there-is-no-such-command"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := RunWith(t.Context(), Options{Find: FindOptions{CacheDir: "/nowhere"}}, nil, nil, argv); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestRunWithInterrupted(t *testing.T) {
	installation(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	output := besidetest.NewFirstLine()
	done := make(chan error, 1)
	go func() {
		done <- RunWith(ctx, Options{}, output, os.Stderr,
			[]string{"/bin/sh", "-c", `echo "$FAULTLINE_TEST_POSTGRES_URL"; sleep 300 & wait`})
	}()
	url := besidetest.Await(t, output.Line)
	why := errors.New("Ctrl-C")
	cancel(why)
	if err := besidetest.Await(t, done); !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
	if err := probe(t.Context(), url); err == nil {
		t.Error("the server still answers")
	}
}

func TestPostgresDiesWithAKilledParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: only Linux tells a child of its parent's death")
	}
	installation(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	output := besidetest.NewFirstLine()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), helperVariable+`=echo "$FAULTLINE_TEST_POSTGRES_URL"; exec sleep 300`)
	cmd.Stdout = output
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url := besidetest.Await(t, output.Line)
	if err := probe(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	besidetest.Eventually(t, "the server ends", func() bool { return probe(t.Context(), url) != nil })

	// And the next one removes its files.
	server := standalone(t, Options{})
	folders, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(server.LogFile)), folderPrefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		pid, err := os.ReadFile(filepath.Join(folder, "data", "postmaster.pid"))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue
		}
		if port := strings.Split(string(pid), "\n"); len(port) > 3 && strings.Contains(url, ":"+port[3]+"/") {
			t.Errorf("%s is still there", folder)
		}
	}
}
