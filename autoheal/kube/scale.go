package kube

import (
	"context"
	"fmt"
	"math"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// attempts bounds how often a change is tried again because something else of the object changed between reading and
// writing it, such as its status.
const attempts = 5

// Scale sets how many replicas a Deployment shall have, if it is from now.
func (c *Control) Scale(ctx context.Context, name string, from, to int) error {
	if to < 0 || to > math.MaxInt32 {
		return fmt.Errorf("%s cannot have %d replicas: %w", name, to, workload.ErrRefused)
	}
	for attempt := 1; ; attempt++ {
		err := c.scaleOnce(ctx, name, from, to)
		if !apierrors.IsConflict(err) || attempt == attempts {
			return err
		}
	}
}

func (c *Control) scaleOnce(ctx context.Context, name string, from, to int) error {
	d, err := c.deployment(ctx, name)
	switch {
	case err != nil:
		return err
	case desired(*d) == to:
		return nil
	case desired(*d) != from:
		return fmt.Errorf("%s wants %d replicas, not %d: %w", name, desired(*d), from, workload.ErrConflict)
	}
	if err := optedIn("deployment", name, d.Labels); err != nil {
		return err
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	deployments := c.cfg.Client.AppsV1().Deployments(c.cfg.Namespace)
	scale, err := deployments.GetScale(ctx, name, metav1.GetOptions{})
	if err != nil {
		return explain(err, "scale of deployment "+name)
	}
	scale.UID, scale.ResourceVersion = d.UID, d.ResourceVersion // the one that was judged
	scale.Spec.Replicas = int32(to)
	if _, err := deployments.UpdateScale(ctx, name, scale, metav1.UpdateOptions{}); err != nil {
		return explain(err, "scale deployment "+name)
	}
	c.announce(Scaled, fmt.Sprintf("scaled from %d to %d replicas", from, to), d)
	return nil
}
