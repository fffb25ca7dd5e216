package edge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/problem"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// Instance is one replica of the edge: its name, and the base URL of its control port.
type Instance struct{ ID, URL string }

// Config says where the edge is.
type Config struct {
	// Instances lists the ready replicas; Fixed where there is one that does not move.
	Instances func(context.Context) ([]Instance, error)
	// Token is for changes; reads need none.
	Token  string
	Client *http.Client
	// Timeout bounds one call, with what is asked again in it; 1 s by default.
	Timeout time.Duration
}

// Client speaks to every replica of the edge. It is safe for concurrent use. Its errors are those of package workload.
type Client struct{ cfg Config }

// NewClient makes a client.
func NewClient(cfg Config) (*Client, error) {
	if cfg.Instances == nil {
		return nil, errors.New("edge: nobody says where the control port is: give --edge-control-url, or --edge-control-port with --edge-workload")
	}
	if cfg.Token == "" {
		return nil, errors.New("edge: the token is empty: give --edge-control-token-file a file with a token in it")
	}
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Second
	}
	return &Client{cfg}, nil
}

// Fixed is the edge of which there is one replica, at one address.
func Fixed(url string) func(context.Context) ([]Instance, error) {
	only := []Instance{{ID: "the edge", URL: strings.TrimRight(url, "/")}}
	return func(context.Context) ([]Instance, error) { return only, nil }
}

// call sends one request and reads the state that every answer holds.
func (c *Client) call(ctx context.Context, to Instance, method, path string, body any) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	data, err := json.Marshal(body)
	if err != nil {
		return State{}, err
	}
	for {
		res, err := c.send(ctx, to.URL+path, method, data)
		if err == nil {
			return read(to, method, path, res)
		}
		// Nobody answered: what is asked says what it goes out from, so asking again has one effect at most.
		timer := time.NewTimer(pauseAfterNobody)
		select {
		case <-ctx.Done():
			timer.Stop()
			return State{}, fmt.Errorf("%s does not answer at its control port: %w", to.ID, err)
		case <-timer.C:
		}
	}
}

// pauseAfterNobody is the pause between a connection that failed and the next.
const pauseAfterNobody = 50 * time.Millisecond

func (c *Client) send(ctx context.Context, url, method string, data []byte) (*http.Response, error) {
	body := io.Reader(http.NoBody)
	if method != http.MethodGet {
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	if method != http.MethodGet {
		req.Header.Set("Authorization", "Bearer "+c.cfg.Token)
		req.Header.Set("Content-Type", "application/json")
	}
	return c.cfg.Client.Do(req)
}

func read(from Instance, method, path string, res *http.Response) (State, error) {
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return State{}, fmt.Errorf("%s: %s %s: %w", from.ID, method, path, err)
	}
	if res.StatusCode != http.StatusOK {
		return State{}, refusal(from, method, path, res, answer)
	}
	var s State
	if err := json.Unmarshal(answer, &s); err != nil || s.Mode == "" {
		return State{}, fmt.Errorf("%s: %s %s: the answer is no state of the contract: %.200s", from.ID, method, path, answer)
	}
	return s, nil
}

// refusal maps an error answer to the errors that callers tell apart.
func refusal(from Instance, method, path string, res *http.Response, body []byte) error {
	var answer problem.Answer
	message := res.Status
	if json.Unmarshal(body, &answer) == nil && answer.Error.Message != "" {
		message += ": " + answer.Error.Message
	}
	err := fmt.Errorf("%s: %s %s: %s", from.ID, method, path, message)
	switch res.StatusCode {
	case http.StatusConflict:
		return fmt.Errorf("%w: %w", workload.ErrConflict, err)
	case http.StatusUnauthorized:
		return fmt.Errorf("%w: %w (is --edge-control-token-file the edge's?)", workload.ErrRefused, err)
	case http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusNotFound:
		return fmt.Errorf("%w: %w", workload.ErrRefused, err)
	}
	return err
}
