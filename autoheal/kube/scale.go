package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// attempts bounds how often a change is tried again because something else of the object changed between reading and
// writing it, such as its status.
const attempts = 5

// Annotations of a Deployment that was scaled for a time (docs/contracts.md, "On Kubernetes"). Kubernetes does not go back by
// itself: they say to people, and to a healer that has lost its store, what was meant.
const (
	scaleUntil  = "faultline.dev/scale-until"
	scaleBackTo = "faultline.dev/scale-back-to"
)

// Scale sets how many replicas a Deployment shall have, if it is from now.
func (c *Control) Scale(ctx context.Context, name string, from, to int, _ string) error {
	return c.scale(ctx, name, from, to, map[string]any{scaleUntil: nil, scaleBackTo: nil})
}

// ScaleFor is Scale with a note of when to go back to from. Nobody but the healer does, so it returns no time. A request that was long
// on its way has an old resource version, so it needs no key.
func (c *Control) ScaleFor(ctx context.Context, name string, from, to int, lasts time.Duration, _ string) (*time.Time, error) {
	return nil, c.scale(ctx, name, from, to, map[string]any{
		scaleUntil: time.Now().Add(lasts).UTC().Format(time.RFC3339), scaleBackTo: strconv.Itoa(from),
	})
}

func (c *Control) scale(ctx context.Context, name string, from, to int, note map[string]any) error {
	if to < 0 || to > math.MaxInt32 {
		return fmt.Errorf("%s cannot have %d replicas: %w", name, to, workload.ErrRefused)
	}
	for attempt := 1; ; attempt++ {
		err := c.scaleOnce(ctx, name, from, to, note)
		if !apierrors.IsConflict(err) || attempt == attempts {
			return err
		}
	}
}

// scaleOnce writes number and note in one patch. The resource version in it makes the API server refuse the patch when the
// Deployment is another one by now.
func (c *Control) scaleOnce(ctx context.Context, name string, from, to int, note map[string]any) error {
	d, err := c.deployment(ctx, name)
	switch {
	case err != nil:
		return err
	case desired(*d) == to && noted(d, note):
		return nil
	case desired(*d) != to && desired(*d) != from:
		return fmt.Errorf("%s wants %d replicas, not %d: %w", name, desired(*d), from, workload.ErrConflict)
	}
	if err := optedIn("deployment", name, d.Labels); err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": d.ResourceVersion, "annotations": note}, "spec": map[string]any{"replicas": to},
	})
	if err != nil {
		return err
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	_, err = c.cfg.Client.AppsV1().Deployments(c.cfg.Namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return explain(err, "scale deployment "+name)
	}
	if desired(*d) != to {
		c.announce(Scaled, fmt.Sprintf("scaled from %d to %d replicas", from, to), d)
	}
	return nil
}

// noted says whether the Deployment carries no note where none is to be.
func noted(d *appsv1.Deployment, note map[string]any) bool {
	_, there := d.Annotations[scaleUntil]
	return note[scaleUntil] == nil && !there
}
