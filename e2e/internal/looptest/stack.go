package looptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/stackrun"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Start starts the real stack in a folder of its own, with the binaries that `make test` built, and stops it with the test.
// The offset keeps its ports out of the way of a stack that runs on the default ones, and of another test's.
func Start(t *testing.T, root, portOffset string) *stackrun.Handle {
	t.Helper()
	t.Setenv("FAULTLINE_PORT_OFFSET", portOffset)
	stack, err := stackrun.Ensure(t.Context(), stackrun.Config{Root: root, Progress: Log{T: t}})
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

// Process is one process of the stack, as the supervisor lists it.
type Process struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	State string `json:"state"`
}

// Processes lists the processes of a local stack.
func Processes(t *testing.T, stack endpoints.Stack) []Process {
	t.Helper()
	var list []Process
	if err := GetJSON(t.Context(), stack.Endpoints.Control+"/v1/processes", &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// GetJSON reads what an address answers.
func GetJSON(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("GET %s: %w", url, err)
	}
	return nil
}

// bound is generous: only a broken system reaches it.
const bound = time.Minute

// Eventually waits until try gives no error, and fails with the last one after a minute; what says what was waited for.
func Eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited %s for %s: %v", bound, what, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// WaitUntil waits for a condition that has no more to say than yes or no.
func WaitUntil(t *testing.T, what string, condition func() bool) {
	t.Helper()
	Eventually(t, what, func() error {
		if condition() {
			return nil
		}
		return errors.New("it did not come about")
	})
}
