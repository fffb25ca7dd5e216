package edge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"
)

// ModeChange asks for a mode. Where it is the mode already, its time to live begins anew.
type ModeChange struct {
	Mode string
	// If is the mode that is changed; any other but Mode is a conflict.
	If string
	By string
	// Key names the change: once it was taken back with this key, the edge does not make it any more, however long a request was on its way.
	Key string
	// For is how long the edge stays so by itself; it does not count for normal.
	For time.Duration
	// Admit is how many checkouts a second all replicas of the edge let through together; only for shed.
	Admit float64
}

// WeightsChange asks for weights, in the same way.
type WeightsChange struct {
	Weights, If Weights
	By, Key     string
	For         time.Duration
}

// Usual are the weights when nobody has asked for others.
func Usual() Weights { return Weights{Stable: 100} }

// State reads all replicas at once. It needs every one of them: what one does not say, nobody knows.
func (c *Client) State(ctx context.Context) (*State, error) {
	now, err := c.all(ctx, func(ctx context.Context, to Instance, _ int) (State, error) {
		return c.call(ctx, to, http.MethodGet, "/v1/state", nil)
	})
	if err != nil {
		return nil, err
	}
	return &now, nil
}

// SetMode asks every replica, and returns until when they stay so. An error may have left some of them changed, which it says.
func (c *Client) SetMode(ctx context.Context, m ModeChange) (State, error) {
	return c.all(ctx, func(ctx context.Context, to Instance, of int) (State, error) {
		body := map[string]any{"mode": m.Mode, "if": m.If, "by": m.By, "key": m.Key}
		if m.Mode != Normal {
			body["for"] = m.For.String()
		}
		if m.Mode == Shed {
			body["admit"] = int(math.Ceil(m.Admit / float64(of)))
		}
		return c.call(ctx, to, http.MethodPut, "/v1/mode", body)
	})
}

// SetWeights asks every replica.
func (c *Client) SetWeights(ctx context.Context, w WeightsChange) (State, error) {
	return c.all(ctx, func(ctx context.Context, to Instance, _ int) (State, error) {
		body := map[string]any{"stable": w.Weights.Stable, "standby": w.Weights.Standby, "if": w.If, "by": w.By, "key": w.Key}
		if w.Weights != Usual() {
			body["for"] = w.For.String()
		}
		return c.call(ctx, to, http.MethodPut, "/v1/weights", body)
	})
}

// all calls every ready replica at once, each told how many there are, and merges what they answer.
func (c *Client) all(ctx context.Context, call func(ctx context.Context, to Instance, of int) (State, error)) (State, error) {
	instances, err := c.instances(ctx)
	if err != nil {
		return State{}, err
	}
	states, errs := make([]State, len(instances)), make([]error, len(instances))
	var answers sync.WaitGroup
	for i, to := range instances {
		answers.Go(func() { states[i], errs[i] = call(ctx, to, len(instances)) })
	}
	answers.Wait()
	failed := 0
	for _, err := range errs {
		if err != nil {
			failed++
		}
	}
	switch {
	case failed == 0:
		return merged(states), nil
	case failed < len(instances):
		return State{}, &PartError{Failed: failed, Of: len(instances), err: errors.Join(errs...)}
	}
	return State{}, errors.Join(errs...)
}

// PartError says that some replicas of the edge did what was asked, and others did not. It counts as none of the errors that
// say that nothing was changed.
type PartError struct {
	Failed, Of int
	err        error
}

func (e *PartError) Error() string {
	return fmt.Sprintf("%d of %d replicas of the edge did not: %v", e.Failed, e.Of, e.err)
}
