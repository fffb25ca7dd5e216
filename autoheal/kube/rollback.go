package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// RollBack gives a Deployment the pod template of the newest rollout that had the version, if its version is from now.
func (c *Control) RollBack(ctx context.Context, name, from, to string) error {
	for attempt := 1; ; attempt++ {
		err := c.rollBackOnce(ctx, name, from, to)
		if !apierrors.IsConflict(err) || attempt == attempts {
			return err
		}
	}
}

func (c *Control) rollBackOnce(ctx context.Context, name, from, to string) error {
	d, err := c.deployment(ctx, name)
	if err != nil {
		return err
	}
	switch now := d.Spec.Template.Labels[versionLabel]; now {
	case to:
		return nil
	case from:
	default:
		return fmt.Errorf("%s is at version %s, not %s: %w", name, now, from, workload.ErrConflict)
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	sets, err := c.sets(ctx)
	if err != nil {
		return err
	}
	sets = setsOf(*d, sets)
	template, ok := templateOf(sets, to)
	if !ok {
		return fmt.Errorf("version %q of %s: %w: there are %s", to, name, workload.ErrNotFound, strings.Join(versions(*d, sets), ", "))
	}
	if err := optedIn("deployment", name, d.Labels); err != nil {
		return err
	}
	patch, err := replaceTemplate(d.ResourceVersion, template)
	if err != nil {
		return err
	}
	_, err = c.cfg.Client.AppsV1().Deployments(c.cfg.Namespace).Patch(ctx, name, types.JSONPatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return explain(err, "roll back deployment "+name)
	}
	c.announce(RolledBack, fmt.Sprintf("rolled back from %s to %s", from, to), d)
	return nil
}

// templateOf returns the pod template of the newest rollout of a version, as it was before Kubernetes put its hash on it.
func templateOf(sets []appsv1.ReplicaSet, version string) (corev1.PodTemplateSpec, bool) {
	for _, set := range slices.Backward(sets) {
		if version != "" && set.Spec.Template.Labels[versionLabel] == version {
			template := set.Spec.Template.DeepCopy()
			delete(template.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
			return *template, true
		}
	}
	return corev1.PodTemplateSpec{}, false
}

// replaceTemplate is a JSON patch. The resource version in it makes the API server refuse the patch when the Deployment
// is another one by now.
func replaceTemplate(resourceVersion string, template corev1.PodTemplateSpec) ([]byte, error) {
	return json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/resourceVersion", "value": resourceVersion},
		{"op": "replace", "path": "/spec/template", "value": template},
	})
}
