package closedloop

import (
	"context"
	"encoding/json"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/e2e/stackrun"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// portOffset keeps the test's stack out of the way of one that runs on the default ports, and below the range from
// which the kernel takes ports for outgoing connections.
const portOffset = "11000"

// startStack starts the real stack in a folder of its own, with the binaries that `make test` built.
func startStack(t *testing.T, root string) *stackrun.Handle {
	t.Helper()
	t.Setenv("FAULTLINE_PORT_OFFSET", portOffset)
	stack, err := stackrun.Ensure(t.Context(), stackrun.Config{Root: root, Progress: looptest.Log{T: t}})
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
