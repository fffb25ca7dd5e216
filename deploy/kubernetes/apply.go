package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// FieldManager owns what Apply sets.
const FieldManager = "faultline"

// The labels by which an apply finds what an earlier one made (whole/kustomization.yaml).
const (
	managedBy   = "app.kubernetes.io/managed-by"
	inNamespace = "faultline.dev/namespace" // on objects of the whole cluster: whose they are
)

// The phases of an apply: what is applied in one may need everything of those before.
const (
	namespaces = iota
	access     // who may do what, and what is read at the start
	workloads
)

// applyAtOnce bounds the requests in flight, so that a small API server is not overrun.
const applyAtOnce = 8

// ApplyOptions are optional, all of them.
type ApplyOptions struct {
	// Progress is told what is being done, in a few lines.
	Progress func(string)
	// DryRun lets the server check everything and change nothing. The namespace must exist.
	DryRun bool
}

func (o ApplyOptions) defaults() ApplyOptions {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return o
}

// Apply makes the cluster have the objects: namespace first, then access and configuration, then workloads (server-side apply;
// a field that the server does not know is an error). Then it deletes what an earlier Apply made in this namespace and is
// not among them any more, but claims, whose data would go with them.
func Apply(ctx context.Context, config *rest.Config, objects []*unstructured.Unstructured, options ApplyOptions) error {
	options = options.defaults()
	namespace := Namespace(objects)
	if namespace == "" {
		return errNoNamespace
	}
	a, err := newApplier(config, options)
	if err != nil {
		return err
	}
	for current, title := range []string{"namespace " + namespace, "access, network and configuration", "workloads"} {
		var batch []*unstructured.Unstructured
		for _, object := range objects {
			if phase(object) == current {
				batch = append(batch, object)
			}
		}
		options.Progress(fmt.Sprintf("applying %s (%d objects)", title, len(batch)))
		if err := a.applyAll(ctx, batch); err != nil {
			return err
		}
	}
	if options.DryRun {
		return nil
	}
	return a.prune(ctx, namespace, objects)
}

func phase(object *unstructured.Unstructured) int {
	switch object.GetKind() {
	case "Namespace":
		return namespaces
	case "Deployment", "StatefulSet":
		return workloads
	default:
		return access
	}
}

type applier struct {
	ApplyOptions
	client dynamic.Interface
	mapper meta.RESTMapper
}

func newApplier(config *rest.Config, options ApplyOptions) (*applier, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1 // bounded by applyAtOnce; client-go's 5 a second would take a quarter of a minute
	finder, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("apply: %w", err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("apply: %w", err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(finder))
	return &applier{ApplyOptions: options, client: client, mapper: mapper}, nil
}

func (a *applier) applyAll(ctx context.Context, objects []*unstructured.Unstructured) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(applyAtOnce)
	for _, object := range objects {
		group.Go(func() error {
			if err := a.apply(ctx, object); err != nil {
				return fmt.Errorf("apply %s: %w", describe(object), err)
			}
			return nil
		})
	}
	return group.Wait()
}

func (a *applier) apply(ctx context.Context, object *unstructured.Unstructured) error {
	resource, err := a.resource(object.GroupVersionKind(), object.GetNamespace())
	if err != nil {
		return err
	}
	data, err := json.Marshal(object)
	if err != nil {
		return err
	}
	options := metav1.PatchOptions{FieldManager: FieldManager, Force: new(true), FieldValidation: metav1.FieldValidationStrict}
	if a.DryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	_, err = resource.Patch(ctx, object.GetName(), types.ApplyPatchType, data, options)
	return err
}

// resource is where objects of the kind live.
func (a *applier) resource(kind schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, fmt.Errorf("the cluster does not know %s; Kubernetes 1.30 or later is needed: %w", kind, err)
	}
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return a.client.Resource(mapping.Resource), nil
	}
	return a.client.Resource(mapping.Resource).Namespace(namespace), nil
}
