package onstack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/faultline-lab/faultline/e2e/stackrun"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Config is what both parts need.
type Config struct {
	Root string // the checkout, in which our programs are built
	// Folder takes a folder for each stack; that of one which did not come to a result stays, with its logs.
	Folder   string
	Rate     int           // checkouts a second
	WarmUp   time.Duration // after everything is ready
	Measure  time.Duration // whole seconds
	Rounds   int
	Seed     uint64
	Progress io.Writer
}

// onStack starts a stack in a folder of its own and ends it, whatever use returns.
func (c Config) onStack(ctx context.Context, name string, args []string, use func(context.Context, endpoints.Stack) error) error {
	root := filepath.Join(c.Folder, "stack-"+name)
	if err := os.MkdirAll(filepath.Join(root, ".faultline"), 0o755); err != nil {
		return err
	}
	bin := filepath.Join(c.Root, ".faultline", "bin")
	if err := os.Symlink(bin, filepath.Join(root, ".faultline", "bin")); err != nil {
		return err
	}
	said, err := os.Create(filepath.Join(root, "stack.log"))
	if err != nil {
		return err
	}
	defer said.Close()
	stack, err := stackrun.Ensure(ctx, stackrun.Config{Root: root, Args: args, Progress: said})
	if err != nil {
		return fmt.Errorf("%w%s", err, lastWords(said.Name()))
	}
	watched, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-stack.Ended():
			cancel(errors.New("the stack ended while it was measured"))
		case <-watched.Done():
		}
	}()
	if err := errors.Join(use(watched, stack.Stack), stack.Stop()); err != nil {
		return fmt.Errorf("%w (logs: %s)", err, root)
	}
	return os.RemoveAll(root)
}

// lastWords is the end of what the stack said; stackrun's error speaks of it.
func lastWords(file string) string {
	text, err := os.ReadFile(file)
	if err != nil || len(text) == 0 {
		return ""
	}
	const enough = 2000
	return "\n" + string(text[max(0, len(text)-enough):])
}

// process is one row of the supervisor's list (docs/contracts.md, "The supervisor's control API").
type process struct {
	Name     string `json:"name"`
	PID      int    `json:"pid"`
	Kind     string `json:"kind"`
	Restarts int    `json:"restarts"`
}

func processes(ctx context.Context, stack endpoints.Stack) ([]process, error) {
	var list []process
	err := call(ctx, http.MethodGet, stack.Endpoints.Control+"/v1/processes", nil, &list)
	return list, err
}

func setRate(ctx context.Context, stack endpoints.Stack, rate int) error {
	body := map[string]int{"checkouts_per_second": rate}
	return call(ctx, http.MethodPut, stack.Endpoints.Loadgen+"/v1/rate", body, nil)
}

// call sends and reads JSON.
func call(ctx context.Context, method, url string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := read(request)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

func read(request *http.Request) ([]byte, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", request.Method, request.URL, response.Status, data)
	}
	return data, err
}
