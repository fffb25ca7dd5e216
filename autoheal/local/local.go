package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/problem"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// Config says where the control API is.
type Config struct {
	URL    string // without a path
	Token  string // for changes; reads need none
	Client *http.Client
}

// Control is a client of the control API. It is safe for concurrent use; every call is bounded by its context.
type Control struct{ cfg Config }

// New makes a client.
func New(cfg Config) (*Control, error) {
	if cfg.URL == "" {
		return nil, errors.New("local: the URL of the control API is missing: give --control-url")
	}
	if cfg.Token == "" {
		return nil, errors.New("local: the control token is empty: give --control-token-file a file with a token in it")
	}
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	return &Control{cfg}, nil
}

// Workloads lists all workloads with their replicas.
func (c *Control) Workloads(ctx context.Context) ([]workload.Workload, error) {
	var list struct {
		Workloads []workload.Workload `json:"workloads"`
	}
	if err := c.call(ctx, http.MethodGet, "/v1/workloads", nil, &list); err != nil {
		return nil, err
	}
	return list.Workloads, nil
}

// Workload reads one workload's live state.
func (c *Control) Workload(ctx context.Context, name string) (workload.Workload, error) {
	var w workload.Workload
	err := c.call(ctx, http.MethodGet, "/v1/workloads/"+url.PathEscape(name), nil, &w)
	return w, err
}

// Restart restarts the replica if its start id is still this one, else it returns workload.ErrConflict.
func (c *Control) Restart(ctx context.Context, name, id, startID string) error {
	path := "/v1/workloads/" + url.PathEscape(name) + "/replicas/" + url.PathEscape(id) + "/restart"
	return c.call(ctx, http.MethodPost, path, map[string]string{"start_id": startID}, nil)
}

func (c *Control) call(ctx context.Context, method, path string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.cfg.URL+path, bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("control API: %w", err)
	}
	if method != http.MethodGet {
		req.Header.Set("Authorization", "Bearer "+c.cfg.Token)
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.cfg.Client.Do(req)
	if err != nil {
		return fmt.Errorf("control API: %w", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return fmt.Errorf("control API: %s %s: %w", method, path, err)
	}
	if res.StatusCode/100 != 2 {
		return refusal(method, path, res, answer)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("control API: %s %s: the answer is no JSON of the contract: %w", method, path, err)
	}
	return nil
}

// refusal maps an error answer to the errors that callers tell apart.
func refusal(method, path string, res *http.Response, body []byte) error {
	var answer problem.Answer
	message := res.Status
	if json.Unmarshal(body, &answer) == nil && answer.Error.Message != "" {
		message += ": " + answer.Error.Message
	}
	err := fmt.Errorf("control API: %s %s: %s", method, path, message)
	switch res.StatusCode {
	case http.StatusConflict:
		return fmt.Errorf("%w: %w", workload.ErrConflict, err)
	case http.StatusNotFound:
		return fmt.Errorf("%w: %w", workload.ErrNotFound, err)
	case http.StatusUnauthorized:
		return fmt.Errorf("%w: %w (is --control-token-file the supervisor's?)", workload.ErrRefused, err)
	case http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: %w", workload.ErrRefused, err)
	}
	return err
}
