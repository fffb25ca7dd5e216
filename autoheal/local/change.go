package local

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// The control API takes a number or a version without a precondition, so it is held against the live state here, a moment
// before. Somebody who changes it within that moment loses; nobody but the healer and people use this API.

// Scale sets how many replicas the workload shall have, if it is from now.
func (c *Control) Scale(ctx context.Context, name string, from, to int) error {
	w, err := c.Workload(ctx, name)
	switch {
	case err != nil:
		return err
	case w.Desired == to:
		return nil
	case w.Desired != from:
		return fmt.Errorf("%s wants %d replicas, not %d: %w", name, w.Desired, from, workload.ErrConflict)
	}
	return c.call(ctx, http.MethodPut, "/v1/workloads/"+url.PathEscape(name)+"/scale", map[string]int{"replicas": to}, nil)
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
