package mesh_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/faultline-lab/faultline/chaos/mesh"
)

// kubeconfigVariable names a kubeconfig of a throwaway API server, with the rights of an administrator.
const kubeconfigVariable = "FAULTLINE_TEST_KUBECONFIG"

// cluster is a namespace of its own on a real API server, with the pods of the shop and no node that runs them: the test says
// how they are.
type cluster struct {
	t         *testing.T
	namespace string
	access    *rest.Config
	api       client.Client
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	path := os.Getenv(kubeconfigVariable)
	if path == "" {
		text := fmt.Sprintf("NOT TESTED: %s needs a real API server: `stack apiserver -- go test ./chaos/mesh/...` gives it one (%s)",
			t.Name(), kubeconfigVariable)
		if os.Getenv("CI") == "true" {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	access, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	access.QPS, access.Burst = 500, 500
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, v1alpha1.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	api, err := client.New(access, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "chaos-"}}
	if err := api.Create(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, namespace: made.Name, access: access, api: api}
	t.Cleanup(func() {
		if err := api.Delete(context.Background(), made); err != nil {
			t.Error(err)
		}
	})
	c.eventually("pods can be made", func() bool {
		return api.Get(t.Context(), c.key("default"), &corev1.ServiceAccount{}) == nil
	})
	return c
}

// withShop is a cluster that has the CRDs and the pods.
func withShop(t *testing.T) *cluster {
	t.Helper()
	c := newCluster(t)
	c.install()
	c.run("postgres-0", "postgres", "faultline-stack")
	c.run("orders-a", "orders", "faultline")
	c.run("orders-b", "orders", "faultline")
	c.run("inventory-a", "inventory", "faultline")
	return c
}

func (c *cluster) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: c.namespace, Name: name}
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) eventually(what string, is func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("%s: not within 20 s", what)
		}
	}
}

// definitions reads the generated CRDs.
func (c *cluster) definitions() []*apiextensionsv1.CustomResourceDefinition {
	c.t.Helper()
	var all []*apiextensionsv1.CustomResourceDefinition
	for _, kind := range kinds {
		text, err := os.ReadFile(crdFile(kind))
		c.must(err)
		definition := &apiextensionsv1.CustomResourceDefinition{}
		c.must(yaml.UnmarshalStrict(text, definition))
		all = append(all, definition)
	}
	return all
}

// install gives the server the CRDs, and waits until it serves them.
func (c *cluster) install() {
	c.t.Helper()
	for _, definition := range c.definitions() {
		if err := c.api.Create(c.t.Context(), definition); err != nil && !apierrors.IsAlreadyExists(err) {
			c.t.Fatal(err)
		}
	}
	c.eventually("the CRDs are served", func() bool {
		return c.api.List(c.t.Context(), &v1alpha1.NetworkChaosList{}, client.InNamespace(c.namespace)) == nil &&
			c.api.List(c.t.Context(), &v1alpha1.PodChaosList{}, client.InNamespace(c.namespace)) == nil &&
			c.api.List(c.t.Context(), &v1alpha1.PodNetworkChaosList{}, client.InNamespace(c.namespace)) == nil
	})
}

// uninstall takes the CRDs away, those of an earlier run too.
func (c *cluster) uninstall() {
	c.t.Helper()
	for _, definition := range c.definitions() {
		if err := c.api.Delete(c.t.Context(), definition); err != nil && !apierrors.IsNotFound(err) {
			c.t.Fatal(err)
		}
		c.eventually("the CRD is gone", func() bool {
			return apierrors.IsNotFound(c.api.Get(c.t.Context(), client.ObjectKeyFromObject(definition), definition))
		})
	}
}

// run makes a pod that runs and is ready.
func (c *cluster) run(name, workload, partOf string) {
	c.t.Helper()
	c.must(c.api.Create(c.t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: c.namespace, Labels: map[string]string{
			"app.kubernetes.io/name": workload, "app.kubernetes.io/part-of": partOf,
		}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.invalid/" + workload}}},
	}))
	c.say(name, true, 0)
}

// say sets how a pod is.
func (c *cluster) say(name string, ready bool, restarts int32) {
	c.t.Helper()
	var pod corev1.Pod
	c.must(c.api.Get(c.t.Context(), c.key(name), &pod))
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", Image: "x", Ready: ready, RestartCount: restarts}}
	c.must(c.api.Status().Update(c.t.Context(), &pod))
}

// end removes a pod at once, as one is removed whose node has confirmed its end.
func (c *cluster) end(name string) {
	c.t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: c.namespace}}
	c.must(c.api.Delete(c.t.Context(), pod, client.GracePeriodSeconds(0)))
	c.eventually(name+" is gone", func() bool {
		return apierrors.IsNotFound(c.api.Get(c.t.Context(), c.key(name), &corev1.Pod{}))
	})
}

// client is the one under test, with bounds that a test can wait for.
func (c *cluster) client() *mesh.Client {
	c.t.Helper()
	api, err := mesh.Dial(c.access)
	c.must(err)
	made, err := mesh.New(mesh.Config{
		API: api, Namespace: c.namespace, PollInterval: 20 * time.Millisecond,
		InjectWithin: 2 * time.Second, RemoveWithin: 2 * time.Second, ClearWithin: time.Second,
	})
	c.must(err)
	return made
}

// driver is that of an experiment of testdata.
func (c *cluster) driver(name string, lifetime time.Duration) *mesh.Driver {
	c.t.Helper()
	made, err := mesh.NewDriver(mesh.DriverConfig{Experiment: load(c.t, name), Client: c.client(), ID: "a1b2c3", Lifetime: lifetime})
	c.must(err)
	return made
}
