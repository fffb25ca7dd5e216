package postgrescontainer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/deploy/airgap"
	"github.com/faultline-lab/faultline/deploy/airgap/docker"
	"github.com/faultline-lab/faultline/deploy/beside"
	"github.com/faultline-lab/faultline/deploy/beside/besidetest"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
)

// imageVariable names another image to test with than the one that `stack airgap` builds.
const imageVariable = "FAULTLINE_TEST_POSTGRES_IMAGE"

// helperVariable makes the test binary act as a program that runs a command with a container, so that a test can kill it.
const helperVariable = "FAULTLINE_TEST_RUNWITH_CONTAINER"

func TestMain(m *testing.M) {
	if command := os.Getenv(helperVariable); command != "" {
		err := RunWith(context.Background(), Options{Image: os.Getenv(imageVariable)}, os.Stdout, os.Stderr, []string{"/bin/sh", "-c", command})
		fmt.Fprintln(os.Stderr, err)
		os.Exit(70) // the test kills it
	}
	os.Exit(m.Run())
}

// image is one that the engine has. Without an engine or an image the test is skipped, or fails where CI=true.
func image(t *testing.T) (docker.Engine, string) {
	t.Helper()
	engine, err := docker.Find(t.Context())
	ref := os.Getenv(imageVariable)
	if err == nil && ref == "" {
		var names airgap.Result
		names, err = airgap.Names()
		ref = names.Stack["docker.io/library/postgres"]
	}
	if err == nil && !hasImage(t.Context(), engine, ref) {
		err = fmt.Errorf("the engine has no image %s: `stack airgap` builds it, or have %s name one", ref, imageVariable)
	}
	if err != nil {
		const missing = "NOT TESTED: PostgreSQL in a container. %v"
		if os.Getenv("CI") == "true" {
			t.Fatalf(missing, err)
		}
		t.Skipf(missing, err)
	}
	return engine, ref
}

// makers are the labels of all containers of this package's making, also of those that have ended.
func makers(t *testing.T, engine docker.Engine) string {
	t.Helper()
	listed, err := engine.Output(t.Context(), "ps", "--all", "--filter=label="+makerLabel, `--format={{.Label "`+makerLabel+`"}}`)
	if err != nil {
		t.Fatal(err)
	}
	return listed
}

func TestAServerInAContainerIsSetUpLikeALocalOne(t *testing.T) {
	engine, ref := image(t)
	server, err := Start(t.Context(), Options{Image: ref, MaxConnections: 12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	if !strings.Contains(makers(t, engine), docker.Maker(server.folder.Path)) {
		t.Error("the container does not say whose it is")
	}

	conn, err := pgx.Connect(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for name, want := range map[string]string{
		"max_connections": "12", "reserved_connections": "3", "superuser_reserved_connections": "3",
		"fsync": "off", "jit": "off", "shared_buffers": "32MB", "log_min_duration_statement": "500ms",
		"is_superuser": "on", "data_checksums": "off", "server_encoding": "UTF8",
	} {
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q (%v)", name, got, want, err)
		}
	}
	var locale string
	if err := conn.QueryRow(t.Context(), "SELECT datlocale FROM pg_database WHERE datname = 'postgres'").Scan(&locale); err != nil || locale != "C.UTF-8" {
		t.Errorf("the locale is %q, want C.UTF-8 (%v)", locale, err)
	}
	if err := postgres.Bootstrap(t.Context(), server.URL, postgres.NewPasswords()); err != nil {
		t.Errorf("the stack's roles and databases: %v", err)
	}

	for range 2 {
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(makers(t, engine), docker.Maker(server.folder.Path)) {
		t.Error("the container is left")
	}
}

func TestRunWith(t *testing.T) {
	_, ref := image(t)
	t.Setenv(reaperVariable, "") // what we tell testcontainers is not for the command
	var output bytes.Buffer
	err := RunWith(t.Context(), Options{Image: ref}, &output, &output,
		[]string{"/bin/sh", "-c", `echo "$FAULTLINE_TEST_POSTGRES_URL [$TESTCONTAINERS_RYUK_DISABLED]"; exit 7`})
	if exit, ok := errors.AsType[*beside.ExitError](err); !ok || exit.Code != 7 {
		t.Errorf("got %v, want the command's exit code 7", err)
	}
	url, rest, _ := strings.Cut(output.String(), " ")
	if !strings.HasPrefix(url, "postgres://postgres:") || rest != "[]\n" {
		t.Errorf("the command saw %q", output.String())
	}
	if err := probe(t.Context(), url); err == nil {
		t.Error("the server still answers")
	}
}

func TestWhatCannotBeRunIsSaidBeforeAServerIsStarted(t *testing.T) {
	for name, test := range map[string]struct {
		opts Options
		argv []string
		want string
	}{
		"no command":                  {Options{Image: "x"}, nil, "no command"},
		"a command that is not there": {Options{Image: "x"}, []string{"there-is-no-such-command"}, "not found"},
		"no image":                    {Options{}, []string{"true"}, "no image"},
	} {
		t.Run(name, func(t *testing.T) {
			err := RunWith(t.Context(), test.opts, nil, nil, test.argv)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestWithoutAnEngineTheErrorSaysWhatToDo(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
	_, err := Start(t.Context(), Options{Image: "x"})
	if !errors.Is(err, docker.ErrNoEngine) || !strings.Contains(err.Error(), "stack airgap engine") {
		t.Errorf("got %v", err)
	}
}

func TestAnImageThatCannotBeHadIsSaidAtOnce(t *testing.T) {
	image(t)
	_, err := Start(t.Context(), Options{Image: "127.0.0.1:1/nobody/postgres:0"})
	if err == nil || !strings.Contains(err.Error(), "--image=airgap") {
		t.Errorf("got %v, want what to do", err)
	}
}

func TestAServerThatDoesNotStartSaysWhyAndLeavesNothing(t *testing.T) {
	engine, ref := image(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp) // which tells the containers of this test from others
	// More connections than the reserves leave: PostgreSQL refuses to start.
	_, err := Start(t.Context(), Options{Image: ref, MaxConnections: 2})
	if err == nil || !strings.Contains(err.Error(), "superuser_reserved_connections") {
		t.Errorf("got %v, want the server's own words", err)
	}
	if strings.Contains(makers(t, engine), temp) {
		t.Error("the container is left")
	}
}

func TestRunWithInterrupted(t *testing.T) {
	_, ref := image(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	output := besidetest.NewFirstLine()
	done := make(chan error, 1)
	go func() {
		done <- RunWith(ctx, Options{Image: ref}, output, os.Stderr,
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

func TestTheNextStartRemovesWhatAKilledOneLeft(t *testing.T) {
	engine, ref := image(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	output := besidetest.NewFirstLine()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), imageVariable+"="+ref, reaperVariable+"=true",
		helperVariable+`=echo "$FAULTLINE_TEST_POSTGRES_URL"; exec sleep 300`)
	cmd.Stdout, cmd.WaitDelay = output, time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url := besidetest.Await(t, output.Line)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if err := probe(t.Context(), url); err != nil {
		t.Fatalf("it was not left, so this tests nothing: %v", err)
	}

	server, err := Start(t.Context(), Options{Image: ref})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := probe(t.Context(), url); err == nil {
		t.Error("it still answers")
	}
	if err := engine.RemoveOrphans(t.Context(), makerLabel); err != nil {
		t.Error(err)
	}
	if err := probe(t.Context(), server.URL); err != nil {
		t.Errorf("a server in use was swept away: %v", err)
	}
}

func probe(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}
