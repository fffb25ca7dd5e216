package kubernetes

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// prunable are the kinds that an overlay may have had once. Claims and the namespace are none: with them data would go.
func prunable() []schema.GroupVersionKind {
	kinds := []schema.GroupVersionKind{
		{Version: "v1", Kind: "ConfigMap"},
		{Version: "v1", Kind: "Service"},
		{Version: "v1", Kind: "ServiceAccount"},
		{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
		{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"},
	}
	for group, names := range map[string][]string{
		"apps":                         {"Deployment", "StatefulSet"},
		"rbac.authorization.k8s.io":    {"Role", "RoleBinding"},
		"admissionregistration.k8s.io": {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"},
	} {
		for _, name := range names {
			kinds = append(kinds, schema.GroupVersionKind{Group: group, Version: "v1", Kind: name})
		}
	}
	return kinds
}

// ofCluster says whether objects of the kind are in no namespace.
func ofCluster(kind schema.GroupVersionKind) bool {
	return kind.Group == "admissionregistration.k8s.io"
}

// prune deletes what carries our labels and is not among the objects.
func (a *applier) prune(ctx context.Context, namespace string, objects []*unstructured.Unstructured) error {
	wanted := map[string]bool{}
	for _, object := range objects {
		wanted[describe(object)] = true
	}
	for _, kind := range prunable() {
		selector := managedBy + "=" + FieldManager
		if ofCluster(kind) {
			selector += "," + inNamespace + "=" + namespace
		}
		resource, err := a.resource(kind, namespace)
		if err != nil {
			return err
		}
		found, err := resource.List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			return fmt.Errorf("look for what is gone: %w", err)
		}
		for _, object := range found.Items {
			object.SetGroupVersionKind(kind)
			if wanted[describe(&object)] || object.GetDeletionTimestamp() != nil {
				continue
			}
			if err := a.delete(ctx, resource, &object); err != nil {
				return err
			}
		}
	}
	return nil
}

// delete takes away the very object that was looked at, and not one that was made in its place meanwhile.
func (a *applier) delete(ctx context.Context, resource dynamic.ResourceInterface, object *unstructured.Unstructured) error {
	a.Progress("deleting " + describe(object) + ", which is not part of it any more")
	err := resource.Delete(ctx, object.GetName(), metav1.DeleteOptions{
		PropagationPolicy: new(metav1.DeletePropagationBackground),
		Preconditions:     &metav1.Preconditions{UID: new(object.GetUID())},
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s: %w", describe(object), err)
	}
	return nil
}
