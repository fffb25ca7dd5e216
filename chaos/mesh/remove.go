package mesh

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ErrStuck says that a resource has been deleted and does not go: Chaos Mesh holds it, by a finalizer, until it has taken the
// fault away from every target, and cannot.
var ErrStuck = errors.New("Chaos Mesh does not take it away") //nolint:staticcheck // a name begins with a capital

// remove deletes the resource and waits until it has gone, which is when Chaos Mesh has taken the fault away. One that is gone
// already is as good.
func (c *Client) remove(ctx context.Context, resource Resource) error {
	bounded, cancel := context.WithTimeout(ctx, c.config.RemoveWithin)
	defer cancel()
	ordered := false
	err := c.every(bounded, func() (bool, error) {
		err := c.get(bounded, resource)
		if err == nil && !ordered {
			err = c.delete(bounded, resource)
			ordered = err == nil
		}
		return gone(err), nilIfGone(err)
	})
	if err == nil {
		return nil
	}
	if ordered && ctx.Err() == nil && bounded.Err() != nil {
		return fmt.Errorf("%s, deleted %s ago: %w%s: %s", describe(resource), c.config.RemoveWithin, ErrStuck,
			after(failures(resource)), c.wayOut(resource))
	}
	return fmt.Errorf("%s could not be deleted: %w", describe(resource), err)
}

// delete deletes the very resource that was made, and not one of the same name.
func (c *Client) delete(ctx context.Context, resource Resource) error {
	var options []client.DeleteOption
	if uid := resource.GetUID(); uid != "" {
		options = append(options, client.Preconditions{UID: new(uid)})
	}
	return explain(c.config.API.Delete(ctx, resource, options...))
}

func after(failures []string) string {
	if len(failures) == 0 {
		return ""
	}
	return " (" + strings.Join(failures, "; ") + ")"
}

// wayOut says what a person can do about a resource that is stuck.
func (c *Client) wayOut(resource Resource) string {
	return fmt.Sprintf("see that its controller and daemons run (`kubectl --namespace chaos-mesh get pods`); when they cannot "+
		"mend it, `chaos stop --all` gives the resource up once none of its pods carries the fault any more "+
		"(by hand: `kubectl --namespace %s annotate %s %s %s=%s`, which asks nobody)",
		c.config.Namespace, strings.ToLower(kind(resource)), resource.GetName(), cleanFinalizer, forced)
}
