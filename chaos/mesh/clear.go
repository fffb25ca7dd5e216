package mesh

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Chaos Mesh's own way to make it give up a resource: an annotation with this value. Its controller then drops the
// finalizers without looking at the targets (https://chaos-mesh.org/docs/run-a-chaos-experiment).
const (
	cleanFinalizer = "chaos-mesh.chaos-mesh.org/cleanFinalizer"
	forced         = "forced"
)

// clear gives up a resource that is stuck. It looks at the targets first, and changes nothing while one of them may still
// carry the fault: a finalizer that is dropped then hides a fault that nothing ends any more. uids are those that the pods had
// when they got the fault: a pod that is another one by now has a network of its own.
//
// It asks Chaos Mesh to drop the finalizers, and drops them itself when no controller does.
func (c *Client) clear(ctx context.Context, resource Resource, uids map[string]types.UID) error {
	err := c.get(ctx, resource)
	if err == nil {
		err = c.delete(ctx, resource)
	}
	if err != nil {
		return nilIfGone(err)
	}
	for _, target := range targets(resource, true) {
		left, err := c.leftOn(ctx, resource, target, uids)
		if err != nil {
			return fmt.Errorf("whether pod %s carries the fault of %s: %w", target, describe(resource), err)
		}
		if left != "" {
			return fmt.Errorf("%s is not given up, because pod %s may still carry its fault: %s; deleting the pod takes the fault with it "+
				"(`kubectl --namespace %s delete pod %s`: in overlay dev the database's data goes too), then try again",
				describe(resource), target, left, target.namespace, target.pod)
		}
	}
	mark := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, cleanFinalizer, forced))
	if err := c.config.API.Patch(ctx, resource, mark); err != nil {
		return nilIfGone(err)
	}
	bounded, cancel := context.WithTimeout(ctx, c.config.ClearWithin)
	defer cancel()
	if err := c.awaitGone(bounded, resource); err == nil || ctx.Err() != nil {
		return err
	}
	// Nobody is there who would: an uninstalled Chaos Mesh leaves resources behind that no one can delete.
	drop := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
	if err := c.config.API.Patch(ctx, resource, drop); err != nil {
		return nilIfGone(err)
	}
	last, cancelLast := context.WithTimeout(ctx, c.config.ClearWithin)
	defer cancelLast()
	return c.awaitGone(last, resource)
}

func (c *Client) awaitGone(ctx context.Context, resource Resource) error {
	return c.every(ctx, func() (bool, error) {
		err := c.get(ctx, resource)
		return gone(err), nilIfGone(err)
	})
}

// leftOn says why a pod may still carry the fault; "" when it surely does not. A killed container leaves nothing behind. What
// a NetworkChaos leaves is in the pod's PodNetworkChaos: what the daemon on its node has been told, and whether it has done it.
func (c *Client) leftOn(ctx context.Context, resource Resource, on podName, uids map[string]types.UID) (string, error) {
	if _, kill := resource.(*v1alpha1.PodChaos); kill {
		return "", nil
	}
	key := client.ObjectKey{Namespace: on.namespace, Name: on.pod}
	var pod corev1.Pod
	if err := c.config.API.Get(ctx, key, &pod); err != nil {
		return "", nilIfGone(err)
	}
	if was, known := uids[on.pod]; known && was != pod.UID {
		return "", nil
	}
	var told v1alpha1.PodNetworkChaos
	switch err := explain(c.config.API.Get(ctx, key, &told)); {
	case gone(err), errors.Is(err, ErrNotInstalled):
		return "Chaos Mesh has no account of the pod's network any more (its PodNetworkChaos is gone)", nil
	case err != nil:
		return "", err
	}
	return leftIn(told, resource.GetNamespace()+"/"+resource.GetName()), nil
}

// leftIn reads what the daemon has been told about one source of faults, and done.
func leftIn(told v1alpha1.PodNetworkChaos, source string) string {
	var rules []string
	for _, set := range told.Spec.IPSets {
		rules = append(rules, set.Source)
	}
	for _, chain := range told.Spec.Iptables {
		rules = append(rules, chain.Source)
	}
	for _, control := range told.Spec.TrafficControls {
		rules = append(rules, control.Source)
	}
	for _, rule := range rules {
		if rule == source {
			return "its PodNetworkChaos still lists it"
		}
	}
	switch {
	case told.Status.FailedMessage != "":
		return "the daemon on its node reports: " + strings.TrimSpace(told.Status.FailedMessage)
	case told.Status.ObservedGeneration < told.Generation:
		return "the daemon on its node has not undone it yet"
	}
	return ""
}
