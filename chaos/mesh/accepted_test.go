package mesh_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/faultline-lab/faultline/chaos/mesh"
)

// The first test of this package that needs a server, because the others give it the CRDs.
func TestAClusterWithoutChaosMeshIsToldSoBeforeAnythingIsTouched(t *testing.T) {
	c := newCluster(t)
	c.uninstall()
	c.run("postgres-0", "postgres", "faultline-stack")
	driver := c.driver("network-latency", time.Minute)
	_, err := driver.Prepare(t.Context())
	if !errors.Is(err, mesh.ErrNotInstalled) || !strings.Contains(err.Error(), "helm install chaos-mesh") {
		t.Fatalf("got %v", err)
	}
	// What was never made needs no taking away.
	if err := driver.Restore(t.Context(), []byte(`{"kind":"NetworkChaos","name":"network-latency-a1b2c3","pods":{}}`)); err != nil {
		t.Errorf("restore: %v", err)
	}
}

// strictly sends text as `kubectl apply --server-side --validate=strict` does.
func (c *cluster) strictly(text []byte) error {
	c.t.Helper()
	object := &unstructured.Unstructured{}
	c.must(yaml.Unmarshal(text, &object.Object))
	return client.WithFieldValidation(c.api, "Strict").Patch(c.t.Context(), object, client.Apply, client.FieldOwner("kubectl"), client.DryRunAll)
}

func TestWhatIsRenderedIsAcceptedByAStrictServer(t *testing.T) {
	c := newCluster(t)
	c.install()
	for _, name := range []string{"network-latency", "network-partition", "process-kill"} {
		t.Run(name, func(t *testing.T) {
			resource, err := mesh.Translate(load(t, name), mesh.Place{Namespace: c.namespace})
			if err != nil {
				t.Fatal(err)
			}
			text, err := mesh.YAML(resource)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.strictly(text); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
			misspelt := strings.Replace(string(text), "  mode:", "  moed: x\n  mode:", 1)
			if err := c.strictly([]byte(misspelt)); err == nil || !strings.Contains(err.Error(), "moed") {
				t.Errorf("a key that there is not was taken: %v", err)
			}
		})
	}
}

// What is bad is refused by us, before anything is sent. The server refuses what a schema can tell; what it cannot tell,
// Chaos Mesh would take for "all pods" or "for ever", or refuse in its webhook.
func TestABadResourceIsRefusedByUsAndByTheServer(t *testing.T) {
	c := newCluster(t)
	c.install()
	network := func(change func(*v1alpha1.NetworkChaos)) mesh.Resource {
		r, err := mesh.Translate(load(t, "network-latency"), mesh.Place{Namespace: c.namespace})
		c.must(err)
		change(r.(*v1alpha1.NetworkChaos))
		return r
	}
	kill := func(change func(*v1alpha1.PodChaos)) mesh.Resource {
		r, err := mesh.Translate(load(t, "process-kill"), mesh.Place{Namespace: c.namespace})
		c.must(err)
		change(r.(*v1alpha1.PodChaos))
		return r
	}
	for name, tt := range map[string]struct {
		resource mesh.Resource
		ours     string
		server   string // "" when its schema cannot tell
	}{
		"an action of a pod that there is not": {kill(func(r *v1alpha1.PodChaos) { r.Spec.Action = "pod-hug" }), `has the action "pod-hug"`, `Unsupported value: "pod-hug"`},
		"an action of a network that there is not": {
			network(func(r *v1alpha1.NetworkChaos) { r.Spec.Action = "flood" }), `has the action "flood"`, `Unsupported value: "flood"`,
		},
		"a mode that there is not": {
			kill(func(r *v1alpha1.PodChaos) { r.Spec.Mode = "some" }), `has the mode "some"`, `Unsupported value: "some"`,
		},
		"a direction that there is not": {
			network(func(r *v1alpha1.NetworkChaos) { r.Spec.Direction = "up" }), `has the direction "up"`, `Unsupported value: "up"`,
		},
		"an empty selector":      {network(func(r *v1alpha1.NetworkChaos) { r.Spec.Selector.LabelSelectors = nil }), "its selector is empty", ""},
		"an empty target":        {network(func(r *v1alpha1.NetworkChaos) { r.Spec.Target = &v1alpha1.PodSelector{Mode: v1alpha1.AllMode} }), "only", ""},
		"another namespace too":  {network(func(r *v1alpha1.NetworkChaos) { r.Spec.Selector.Namespaces = []string{c.namespace, "kube-system"} }), "kube-system", ""},
		"no namespace selected":  {network(func(r *v1alpha1.NetworkChaos) { r.Spec.Selector.Namespaces = nil }), "is in reach", ""},
		"pods by name":           {network(func(r *v1alpha1.NetworkChaos) { r.Spec.Selector.Pods = map[string][]string{"kube-system": {"x"}} }), "by name or node", ""},
		"made in another one":    {network(func(r *v1alpha1.NetworkChaos) { r.Namespace = "default" }), `it would be made in namespace "default"`, ""},
		"no duration":            {network(func(r *v1alpha1.NetworkChaos) { r.Spec.Duration = nil }), "no positive duration", ""},
		"a negative duration":    {network(func(r *v1alpha1.NetworkChaos) { r.Spec.Duration = new("-5s") }), "no positive duration", ""},
		"a duration that is not": {network(func(r *v1alpha1.NetworkChaos) { r.Spec.Duration = new("soon") }), "Chaos Mesh would refuse it", ""},
		"a negative latency":     {network(func(r *v1alpha1.NetworkChaos) { r.Spec.Delay.Latency = "-60ms" }), "no positive latency", ""},
		"a delay of nothing":     {network(func(r *v1alpha1.NetworkChaos) { r.Spec.Delay = nil }), "no positive latency", ""},
		"both ways, and no target": {
			network(func(r *v1alpha1.NetworkChaos) { r.Spec.Direction = v1alpha1.Both }), "Chaos Mesh would refuse it", "",
		},
		"no container":          {kill(func(r *v1alpha1.PodChaos) { r.Spec.ContainerNames = nil }), "Chaos Mesh would refuse it", ""},
		"every replica at once": {kill(func(r *v1alpha1.PodChaos) { r.Spec.Mode = v1alpha1.AllMode }), `has the mode "all"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.client().Apply(t.Context(), tt.resource, true); err == nil || !strings.Contains(err.Error(), tt.ours) ||
				strings.Contains(err.Error(), "the cluster refuses") {
				t.Errorf("by us: %v", err)
			}
			text, err := mesh.YAML(tt.resource)
			c.must(err)
			if err := c.strictly(text); (err == nil) != (tt.server == "") || err != nil && !strings.Contains(err.Error(), tt.server) {
				t.Errorf("by the server: %v, want %q", err, tt.server)
			}
		})
	}
}
