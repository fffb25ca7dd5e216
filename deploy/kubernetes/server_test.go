package kubernetes

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// server is a real API server (`stack apiserver -- go test ...`), as its administrator.
func server(t *testing.T) *rest.Config {
	t.Helper()
	path := os.Getenv("FAULTLINE_TEST_KUBECONFIG")
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("FAULTLINE_TEST_KUBECONFIG is not set: run the tests by `stack apiserver -- go test ...`")
		}
		t.Skipf("NOT TESTED: %s needs a real API server: run `stack apiserver -- go test ./deploy/kubernetes/...`", t.Name())
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	return config
}

func clientOf(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// eventually waits until a condition holds, for as long as no sound server takes.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// warnings collects what the server warns of.
type warnings struct {
	mu   sync.Mutex
	said []string
}

func (w *warnings) HandleWarningHeader(_ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, text)
}

// applied applies an overlay, and fails the test on any warning: Pod Security warns of each pod template that it would refuse.
func applied(t *testing.T, config *rest.Config, overlay string) []*unstructured.Unstructured {
	t.Helper()
	objects, said := rendered(t, overlay), &warnings{}
	config = rest.CopyConfig(config)
	config.WarningHandler = said
	if err := Apply(t.Context(), config, objects, ApplyOptions{Progress: func(line string) { t.Log(line) }}); err != nil {
		t.Fatal(err)
	}
	for _, text := range said.said {
		t.Errorf("%s: the server warns: %s", overlay, text)
	}
	return objects
}

func TestEveryOverlayIsTakenByARealServer(t *testing.T) {
	config := server(t)
	for _, overlay := range Overlays() {
		t.Run(overlay, func(t *testing.T) {
			objects := applied(t, config, overlay)
			if err := Apply(t.Context(), config, objects, ApplyOptions{DryRun: true}); err != nil {
				t.Errorf("once more, dry: %v", err)
			}
			checkPolicies(t, clientOf(t, config), objects)
		})
	}
}

// checkPolicies reads what the server says of the types in the policies' expressions.
func checkPolicies(t *testing.T, client *kubernetes.Clientset, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, object := range objects {
		if object.GetKind() != "ValidatingAdmissionPolicy" {
			continue
		}
		policies := client.AdmissionregistrationV1().ValidatingAdmissionPolicies()
		eventually(t, "the server checks "+describe(object), func() bool {
			policy, err := policies.Get(t.Context(), object.GetName(), metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if policy.Status.TypeChecking == nil || policy.Status.ObservedGeneration < policy.Generation {
				return false
			}
			for _, warning := range policy.Status.TypeChecking.ExpressionWarnings {
				t.Errorf("%s: %s: %s", describe(object), warning.FieldRef, warning.Warning)
			}
			return true
		})
	}
}

// Pod Security only warns of templates; it is the pods that it refuses.
func TestThePodsOfEveryOverlayAreLetIn(t *testing.T) {
	config := server(t)
	client := clientOf(t, config)
	for _, overlay := range Overlays() {
		t.Run(overlay, func(t *testing.T) {
			objects := applied(t, config, overlay)
			for name, template := range templates(t, objects) {
				said := &warnings{}
				warned := rest.CopyConfig(config)
				warned.WarningHandler = said
				_, err := clientOf(t, warned).CoreV1().Pods(Namespace(objects)).Create(t.Context(), &corev1.Pod{
					ObjectMeta: metav1.ObjectMeta{GenerateName: name + "-", Labels: template.Labels}, Spec: template.Spec,
				}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
				if err != nil || len(said.said) > 0 {
					t.Errorf("a pod of %s: %v, warnings %v", name, err, said.said)
				}
			}
			// The proof that somebody is watching the door.
			_, err := client.CoreV1().Pods(Namespace(objects)).Create(t.Context(), &corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{Name: "root"},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "x"}}},
			}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "PodSecurity") {
				t.Errorf("a pod that may be root: %v", err)
			}
		})
	}
}

func TestAFieldThatTheServerDoesNotKnowIsAnError(t *testing.T) {
	config := server(t)
	objects := applied(t, config, "dev")
	for _, object := range objects {
		if object.GetKind() == "Deployment" && object.GetName() == "orders" {
			if err := unstructured.SetNestedField(object.Object, int64(2), "spec", "replica"); err != nil {
				t.Fatal(err)
			}
		}
	}
	err := Apply(t.Context(), config, objects, ApplyOptions{DryRun: true})
	if err == nil || !strings.Contains(err.Error(), "Deployment/orders") || !strings.Contains(err.Error(), "spec.replica") {
		t.Errorf("got %v", err)
	}
}

func TestWhatAnOverlayHasNoMoreIsDeletedAndNothingElse(t *testing.T) {
	config := server(t)
	client, ctx := clientOf(t, config), t.Context()
	applied(t, config, "staging")
	applied(t, config, "dev")
	// Somebody else's, the same kinds.
	foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "autoheal-off"}}
	maps := client.CoreV1().ConfigMaps("faultline")
	if _, err := maps.Create(ctx, foreign, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	before := names(t, client, "faultline")
	applied(t, config, "prod")
	after := names(t, client, "faultline")

	if !slices.Contains(before, "Deployment/loadgen") || slices.Contains(after, "Deployment/loadgen") {
		t.Errorf("loadgen: before %v, after %v", before, after)
	}
	if !slices.Contains(after, "ConfigMap/autoheal-off") || !slices.Contains(after, "ConfigMap/kube-root-ca.crt") {
		t.Errorf("what is not ours was deleted: %v", after)
	}
	for _, name := range after {
		if old := strings.HasPrefix(name, "ConfigMap/prometheus-rules-"); old && slices.Contains(before, name) {
			t.Errorf("%s of overlay dev is still there", name)
		}
	}
	if _, err := client.AppsV1().Deployments("faultline-staging").Get(ctx, "loadgen", metav1.GetOptions{}); err != nil {
		t.Errorf("the other namespace's loadgen: %v", err)
	}
	policies, err := client.AdmissionregistrationV1().ValidatingAdmissionPolicies().List(ctx, metav1.ListOptions{LabelSelector: managedBy})
	if err != nil || len(policies.Items) != 4 {
		t.Errorf("%d policies of two namespaces (%v), want 4", len(policies.Items), err)
	}
	// And back again: claims are kept, for there is data in them.
	applied(t, config, "dev")
	if _, err := client.CoreV1().PersistentVolumeClaims("faultline").Get(ctx, "prometheus", metav1.GetOptions{}); err != nil {
		t.Errorf("the claim of Prometheus, which dev has not: %v", err)
	}
	if err := maps.Delete(ctx, "autoheal-off", metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// names lists the Deployments and ConfigMaps of a namespace that are not being deleted.
func names(t *testing.T, client *kubernetes.Clientset, namespace string) []string {
	t.Helper()
	var found []string
	deployments, err := client.AppsV1().Deployments(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range deployments.Items {
		found = append(found, "Deployment/"+d.Name)
	}
	maps, err := client.CoreV1().ConfigMaps(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range maps.Items {
		found = append(found, "ConfigMap/"+m.Name)
	}
	return found
}

func TestWaitingSaysWhatIsMissingWhenItIsEnded(t *testing.T) {
	config := server(t) // without a node: nothing will ever be ready
	applied(t, config, "dev")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var told []string
	err := WaitReady(ctx, config, "faultline", func(waiting []string) {
		told = waiting
		cancel()
	})
	if err == nil || len(told) != 11 || !strings.Contains(err.Error(), "orders 0/2") {
		t.Errorf("told %v, got %v", told, err)
	}
}
