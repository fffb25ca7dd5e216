package local

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// The control API takes a number or a version without a precondition, so it is held against the live state here, a moment
// before. Somebody who changes it within that moment loses; nobody but the healer and people use this API.

// Scale sets how many replicas the workload shall have, if it is from now.
func (c *Control) Scale(ctx context.Context, name string, from, to int, key string) error {
	if err := c.scalable(ctx, name, from, to); err != nil {
		return err
	}
	return c.scale(ctx, name, map[string]any{"replicas": to, "key": key}) // also where it is so already: nothing of this key is to come any more
}

// ScaleFor is Scale for a time, after which the supervisor itself goes back to from. Where the number is to already, the time
// begins anew.
func (c *Control) ScaleFor(ctx context.Context, name string, from, to int, lasts time.Duration, key string) (*time.Time, error) {
	if err := c.scalable(ctx, name, from, to); err != nil {
		return nil, err
	}
	until := time.Now().Add(lasts) // the supervisor reckons from when it is asked, a little later
	if err := c.scale(ctx, name, map[string]any{"replicas": to, "for": lasts.String(), "back_to": from, "key": key}); err != nil {
		return nil, err
	}
	return &until, nil
}

// scalable says why the workload is not to be scaled: it is neither from nor to.
func (c *Control) scalable(ctx context.Context, name string, from, to int) error {
	w, err := c.Workload(ctx, name)
	if err == nil && w.Desired != from && w.Desired != to {
		err = fmt.Errorf("%s wants %d replicas, not %d: %w", name, w.Desired, from, workload.ErrConflict)
	}
	return err
}

func (c *Control) scale(ctx context.Context, name string, body map[string]any) error {
	return c.call(ctx, http.MethodPut, "/v1/workloads/"+url.PathEscape(name)+"/scale", body, nil)
}

// RollBack has the replicas replaced by those of another version, if the present one is from.
func (c *Control) RollBack(ctx context.Context, name, from, to string) error {
	w, err := c.Workload(ctx, name)
	switch {
	case err != nil:
		return err
	case w.Version == to:
		return nil
	case w.Version != from:
		return fmt.Errorf("%s is at version %s, not %s: %w", name, w.Version, from, workload.ErrConflict)
	case !slices.Contains(w.Versions, to):
		return fmt.Errorf("version %q of %s: %w: there are %s", to, name, workload.ErrNotFound, strings.Join(w.Versions, ", "))
	}
	return c.call(ctx, http.MethodPut, "/v1/workloads/"+url.PathEscape(name)+"/version", map[string]string{"version": to}, nil)
}
