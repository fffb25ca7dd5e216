package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/deploy/local/runlock"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// client talks to the control API of the stack that runs here.
type client struct {
	stack endpoints.Stack
	http  http.Client
}

// errOnKind says that there is no supervisor to talk to.
var errOnKind = errors.New("the stack of this checkout runs on kind: `stack kind status` shows it, and kubectl " +
	"--kubeconfig=.faultline/run/kubeconfig does the rest")

// connect finds the running stack. The error says when it is still starting.
func connect(paths folders.Folders) (*client, error) {
	running, err := endpoints.Read(paths.Stack)
	if errors.Is(err, endpoints.ErrNotRunning) {
		if holder, held, lookErr := runlock.Current(paths.Lock); lookErr == nil && held && holder.Alive() {
			return nil, fmt.Errorf("the stack of process %d is not ready yet, or stopping: try again in a moment", holder.PID)
		}
	}
	if err != nil {
		return nil, err
	}
	if running.Target == endpoints.Kind {
		return nil, errOnKind
	}
	return &client{stack: running, http: http.Client{Timeout: 10 * time.Second}}, nil
}

func (c *client) get(ctx context.Context, path string, into any) error {
	return c.call(ctx, http.MethodGet, path, nil, into)
}

// change sends a request with the control token.
func (c *client) change(ctx context.Context, method, path string, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.call(ctx, method, path, data, nil)
}

func (c *client) call(ctx context.Context, method, path string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.stack.Endpoints.Control+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		token, err := endpoints.Token(c.stack.ControlTokenFile)
		if err != nil {
			return fmt.Errorf("the control token: %w", err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("the supervisor (process %d) does not answer: %w: `stack down` clears what is left of it", c.stack.PID, err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return refusal(response.Status, data)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(data, into)
}

// refusal turns an error answer into an error with the supervisor's own words.
func refusal(status string, body []byte) error {
	var answer struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error.Message == "" {
		return fmt.Errorf("the supervisor answers %s", status)
	}
	return errors.New(answer.Error.Message)
}

// logFile is where a process of this name logs, or an error that lists the names.
func logFile(paths folders.Folders, name string) (string, error) {
	path := paths.Log(name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("there is no log of %q: %s", name, available(paths))
}
