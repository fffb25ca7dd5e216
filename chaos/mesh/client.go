package mesh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ErrNotInstalled says that the cluster does not know Chaos Mesh's resources.
var ErrNotInstalled = errors.New("Chaos Mesh is not installed in this cluster: " + //nolint:staticcheck // a name begins with a capital
	"`helm install chaos-mesh chaos-mesh --repo https://charts.chaos-mesh.org --namespace chaos-mesh --create-namespace " +
	"--set chaosDaemon.runtime=containerd --set chaosDaemon.socketPath=/run/containerd/containerd.sock` installs it; docs/chaos-mesh.md has more")

// Config is what a Client needs.
type Config struct {
	API       client.Client // knows the schemes of Scheme
	Namespace string        // nothing outside of it is touched
	// PollInterval is how often a resource is looked at while something is waited for; 0 means 250 ms.
	PollInterval time.Duration
	// InjectWithin bounds how long Chaos Mesh may take until the fault is there; 0 means 30 s.
	InjectWithin time.Duration
	// RemoveWithin bounds how long it may take to take the fault away; 0 means 60 s.
	RemoveWithin time.Duration
	// ClearWithin is how long it is left alone with the order to give a resource up; 0 means 10 s.
	ClearWithin time.Duration
}

func (c Config) defaults() Config {
	for bound, value := range map[*time.Duration]time.Duration{
		&c.PollInterval: 250 * time.Millisecond, &c.InjectWithin: 30 * time.Second,
		&c.RemoveWithin: 60 * time.Second, &c.ClearWithin: 10 * time.Second,
	} {
		if *bound == 0 {
			*bound = value
		}
	}
	return c
}

// Client makes, watches and removes resources in one namespace.
type Client struct{ config Config }

// New returns a client; it does not call anything.
func New(config Config) (*Client, error) {
	if config.API == nil || config.Namespace == "" {
		return nil, errors.New("mesh: Config.API and Config.Namespace are required")
	}
	config = config.defaults()
	config.API = client.WithFieldOwner(client.WithFieldValidation(config.API, "Strict"), manager)
	return &Client{config}, nil
}

// Dial makes the API client that Config wants; it does not call anything.
func Dial(access *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return client.New(access, client.Options{Scheme: scheme})
}

// Apply makes the resource, or with dryRun only asks whether the cluster would take it. It refuses what check refuses before
// anything is sent.
func (c *Client) Apply(ctx context.Context, resource Resource, dryRun bool) error {
	if err := check(resource, c.config.Namespace); err != nil {
		return err
	}
	object, err := manifest(resource)
	if err != nil {
		return err
	}
	var options []client.PatchOption
	if dryRun {
		options = append(options, client.DryRunAll)
	}
	if err := c.config.API.Patch(ctx, object, client.Apply, options...); err != nil {
		return explain(fmt.Errorf("the cluster refuses %s: %w", describe(resource), err))
	}
	resource.SetUID(object.GetUID())
	return nil
}

// get reads a resource anew. The error is one of a resource that is gone (also when another one has its name by now),
// ErrNotInstalled, or another.
func (c *Client) get(ctx context.Context, resource Resource) error {
	read, key := empty(kind(resource)), client.ObjectKeyFromObject(resource)
	if err := c.config.API.Get(ctx, key, read); err != nil {
		return explain(err)
	}
	if uid := resource.GetUID(); uid != "" && uid != read.GetUID() {
		return apierrors.NewNotFound(v1alpha1.GroupVersion.WithResource(kind(resource)).GroupResource(), key.Name)
	}
	switch into := resource.(type) {
	case *v1alpha1.NetworkChaos:
		*into = *read.(*v1alpha1.NetworkChaos)
	case *v1alpha1.PodChaos:
		*into = *read.(*v1alpha1.PodChaos)
	}
	return nil
}

// explain makes ErrNotInstalled of a kind that the cluster does not know.
func explain(err error) error {
	if meta.IsNoMatchError(err) {
		return fmt.Errorf("%w (%w)", ErrNotInstalled, err)
	}
	return err
}

// every calls until done, and once more for each interval, until the context ends; then the error is the context's. An API
// that does not answer for a moment is asked again.
func (c *Client) every(ctx context.Context, call func() (done bool, err error)) error {
	tick := time.NewTicker(c.config.PollInterval)
	defer tick.Stop()
	for {
		done, err := call()
		if done || errors.Is(err, ErrNotInstalled) {
			return err
		}
		select {
		case <-ctx.Done():
			if err == nil || errors.Is(err, ctx.Err()) {
				return ctx.Err()
			}
			return fmt.Errorf("%w; the last answer of the Kubernetes API: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}

func gone(err error) bool { return apierrors.IsNotFound(err) }

// nilIfGone takes a resource that is gone for a good end.
func nilIfGone(err error) error {
	if gone(err) {
		return nil
	}
	return err
}

// describe is how a person would name it.
func describe(resource Resource) string { return kind(resource) + " " + resource.GetName() }

func kind(resource Resource) string {
	if _, ok := resource.(*v1alpha1.PodChaos); ok {
		return v1alpha1.KindPodChaos
	}
	return v1alpha1.KindNetworkChaos
}
