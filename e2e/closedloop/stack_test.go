package closedloop

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/e2e/stackrun"
	"github.com/faultline-lab/faultline/e2e/trial"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// portOffset keeps the test's stack out of the way of one that runs on the default ports, and below the range from
// which the kernel takes ports for outgoing connections.
const portOffset = "11000"

// startStack starts the real stack in a folder of its own, with the binaries that `make test` built.
func startStack(t *testing.T, root string) *stackrun.Handle {
	t.Helper()
	t.Setenv("FAULTLINE_PORT_OFFSET", portOffset)
	stack, err := stackrun.Ensure(t.Context(), stackrun.Config{Root: root, Progress: testLog{t}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Stop(); err != nil {
			t.Error(err)
		}
	})
	return stack
}

// newRoot is a checkout as far as the stack is concerned: a folder with our binaries.
func newRoot(t *testing.T) string {
	t.Helper()
	bin, err := filepath.Abs("../../.faultline/bin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(bin, "stack")); err != nil {
		t.Fatalf("our programs are not built (%v): `make test` builds them first", err)
	}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, ".faultline"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(bin, filepath.Join(root, ".faultline", "bin")); err != nil {
		t.Fatal(err)
	}
	return root
}

// testLog is the test's own log as a writer.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", p)
	return len(p), nil
}

func runTrial(t *testing.T, root string, arm trial.Arm, window time.Duration) record.Record {
	t.Helper()
	experiment, err := experiments.Get("connection-leak")
	if err != nil {
		t.Fatal(err)
	}
	result, err := trial.Run(t.Context(), trial.Config{
		StackFile: filepath.Join(root, endpoints.DefaultFile), Experiment: experiment, Arm: arm, Seed: 1, Window: window,
		OnEvent: func(event trial.Event) {
			if event.Second == nil {
				t.Logf("%s %s: %s", event.At.Format("15:04:05.000"), event.Kind, event.Text)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// process is one process of the stack, as the supervisor lists it.
type process struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
}

func processes(t *testing.T, stack endpoints.Stack) []process {
	t.Helper()
	var list []process
	getJSON(t, stack.Endpoints.Control+"/v1/processes", &list)
	return list
}

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", url, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
}

// alive says whether a process exists.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// waitUntil waits for a condition with a generous bound; what says what was waited for.
func waitUntil(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited a minute for %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
