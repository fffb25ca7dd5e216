package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrConflict says that the world is no longer as the caller took it to be (409): for Restart, that the replica has
// another start id already.
var ErrConflict = errors.New("this has changed meanwhile")

// Config is what a Client needs.
type Config struct {
	BaseURL string
	// Token is needed for changes only.
	Token string
	// HTTP is the client to use; nil means one with a timeout of 5 s per call.
	HTTP *http.Client
	// PollInterval is how often WaitReplaced looks; 0 means 50 ms.
	PollInterval time.Duration
}

// Client calls the control API.
type Client struct{ config Config }

// New returns a client; it does not call anything.
func New(config Config) (*Client, error) {
	if config.BaseURL == "" {
		return nil, errors.New("control: no address of the supervisor's control API: is the stack a local one?")
	}
	if config.HTTP == nil {
		config.HTTP = &http.Client{Timeout: 5 * time.Second}
	}
	if config.PollInterval == 0 {
		config.PollInterval = 50 * time.Millisecond
	}
	return &Client{config: config}, nil
}

// Workload reads one workload with its replicas. A workload that is not there is an error that names those that are.
func (c *Client) Workload(ctx context.Context, name string) (Workload, error) {
	all, err := c.Workloads(ctx)
	if err != nil {
		return Workload{}, err
	}
	names := make([]string, 0, len(all))
	for _, workload := range all {
		if workload.Name == name {
			return workload, nil
		}
		names = append(names, workload.Name)
	}
	return Workload{}, fmt.Errorf("the supervisor has no workload %q; there are: %s", name, strings.Join(names, ", "))
}

// Workloads reads all of them.
func (c *Client) Workloads(ctx context.Context) ([]Workload, error) {
	var answer struct {
		Workloads []Workload `json:"workloads"`
	}
	err := c.call(ctx, http.MethodGet, "/v1/workloads", nil, &answer)
	return answer.Workloads, err
}

// Restart ends one replica in order and starts it anew, provided that it is still the start that was judged; otherwise
// it returns ErrConflict. It returns when the restart is accepted: WaitReplaced waits for its end.
func (c *Client) Restart(ctx context.Context, workload, replica, startID string) error {
	path := fmt.Sprintf("/v1/workloads/%s/replicas/%s/restart", url.PathEscape(workload), url.PathEscape(replica))
	return c.call(ctx, http.MethodPost, path, map[string]string{"start_id": startID}, nil)
}

// Scale sets how many replicas a workload should have. It returns when that is accepted, not when they are ready.
func (c *Client) Scale(ctx context.Context, workload string, replicas int) error {
	return c.call(ctx, http.MethodPut, "/v1/workloads/"+url.PathEscape(workload)+"/scale", map[string]int{"replicas": replicas}, nil)
}

// SetVersion rolls a version out, one replica at a time. It returns when that is accepted. A version that there is not is an
// error that names those there are.
func (c *Client) SetVersion(ctx context.Context, workload, version string) error {
	return c.call(ctx, http.MethodPut, "/v1/workloads/"+url.PathEscape(workload)+"/version", map[string]string{"version": version}, nil)
}

// Ask calls a replica itself, at its own address. body and into are JSON; nil means none.
func (c *Client) Ask(ctx context.Context, _ string, replica Replica, method, path string, body, into any) error {
	if replica.Address == "" {
		return fmt.Errorf("the supervisor names no address of %s", replica.ID)
	}
	return Call(ctx, c.config.HTTP, nil, method, "http://"+replica.Address+path, body, into)
}

// WipeState deletes a workload's working files. It returns ErrConflict unless the workload is scaled to 0.
func (c *Client) WipeState(ctx context.Context, workload string) error {
	return c.call(ctx, http.MethodDelete, "/v1/workloads/"+url.PathEscape(workload)+"/state", nil, nil)
}

// WaitReplaced waits until that start of the replica is gone and the workload has all its replicas ready. A control API
// that does not answer for a moment is asked again until the context ends.
func (c *Client) WaitReplaced(ctx context.Context, workload, replica, startID string) error {
	return WaitReplaced(ctx, c, workload, replica, startID, c.config.PollInterval)
}

func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	header := http.Header{}
	if method != http.MethodGet {
		header.Set("Authorization", "Bearer "+c.config.Token)
	}
	err := Call(ctx, c.config.HTTP, header, method, c.config.BaseURL+path, body, into)
	if _, refused := errors.AsType[*Refusal](err); err != nil && !refused {
		return fmt.Errorf("the control API does not answer: %w", err)
	}
	return err
}
