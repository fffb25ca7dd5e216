package kube_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/kube"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

func TestARolloutTakesTheVersionsImageAndTheWayBackItsOldTemplate(t *testing.T) {
	labels := func(version string) map[string]string {
		return map[string]string{"app.kubernetes.io/name": "orders", "app.kubernetes.io/part-of": "faultline", "app.kubernetes.io/version": version}
	}
	template := func(version, image string) corev1.PodTemplateSpec {
		return corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels(version)},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "beside", Image: "beside:1"}, {Name: "main", Image: image}}},
		}
	}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Name: "orders", Namespace: "faultline", UID: "d", Labels: labels("v1"),
			Annotations: map[string]string{"faultline.dev/release-v2": "orders-v2:dev"},
		},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": "orders"}}, Template: template("v1", "orders:dev"),
		},
	}
	released := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: "orders-1", Namespace: "faultline", Labels: labels("v1"), Annotations: map[string]string{"deployment.kubernetes.io/revision": "1"},
			OwnerReferences: []metav1.OwnerReference{{UID: "d", Controller: new(true)}},
		},
		Spec: appsv1.ReplicaSetSpec{Template: template("v1", "orders:as-it-was")},
	}
	api := fake.NewClientset(deployment, released)
	client, err := kube.New(kube.Config{API: api, Namespace: "faultline"})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ version, image string }{{"v2", "orders-v2:dev"}, {"v1", "orders:as-it-was"}} {
		if err := client.SetVersion(t.Context(), "orders", step.version); err != nil {
			t.Fatal(err)
		}
		now, err := api.AppsV1().Deployments("faultline").Get(t.Context(), "orders", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := now.Spec.Template; got.Labels["app.kubernetes.io/version"] != step.version || got.Spec.Containers[1].Image != step.image {
			t.Errorf("%s: labels %v, image %s", step.version, got.Labels, got.Spec.Containers[1].Image)
		}
	}
	older := released.DeepCopy()
	older.Name, older.Spec.Template = "orders-2", template("v2", "orders-v2:an-older-build")
	if _, err := api.AppsV1().ReplicaSets("faultline").Create(t.Context(), older, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := client.SetVersion(t.Context(), "orders", "v2"); err != nil {
		t.Fatal(err)
	}
	again, err := api.AppsV1().Deployments("faultline").Get(t.Context(), "orders", metav1.GetOptions{})
	if err != nil || again.Spec.Template.Spec.Containers[1].Image != "orders-v2:dev" {
		t.Errorf("a version with an older release: %+v (%v), want the image that the Deployment names", again.Spec.Template.Spec.Containers, err)
	}
	if err := client.SetVersion(t.Context(), "orders", "v9"); err == nil || !strings.Contains(err.Error(), "no version v9") {
		t.Errorf("a version that there is not: %v", err)
	}
}

func TestAVersionIsNotRolledOutWhereNobodyCanBeGivenItsImage(t *testing.T) {
	labels := map[string]string{"app.kubernetes.io/version": "v1"}
	api := fake.NewClientset(&appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Name: "orders", Namespace: "faultline", Annotations: map[string]string{"faultline.dev/release-v2": "orders-v2:dev"},
		},
		Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "beside", Image: "beside:1"}}},
		}},
	})
	client, err := kube.New(kube.Config{API: api, Namespace: "faultline"})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.SetVersion(t.Context(), "orders", "v2"); err == nil || !strings.Contains(err.Error(), `no container "main"`) {
		t.Errorf("%v; want a word about the container that is missing", err)
	}
	now, err := api.AppsV1().Deployments("faultline").Get(t.Context(), "orders", metav1.GetOptions{})
	if err != nil || now.Spec.Template.Labels["app.kubernetes.io/version"] != "v1" {
		t.Errorf("%v (%v); want version v1 still", now.Spec.Template.Labels, err)
	}
}

func TestAReplicaIsAskedThroughTheAPIServer(t *testing.T) {
	var got struct{ path, method, body string }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		text, _ := json.Marshal(body)
		got.path, got.method, got.body = r.URL.Path, r.Method, string(text)
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/refused") {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = w.Write([]byte(`{"error":{"code":"unprocessable","message":"give 0 to 30000"}}`))
			return
		}
		_, _ = w.Write([]byte(`{"extra_ms":300}`))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	config := `{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: "` + server.URL + `"}}],
 users: [{name: u, user: {}}], contexts: [{name: x, context: {cluster: c, user: u}}], current-context: x}`
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := kube.Open(endpoints.Kubernetes{Kubeconfig: file, Context: "x", Namespace: "faultline"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Extra int `json:"extra_ms"`
	}
	pod := control.Replica{ID: "payments-abc"}
	if err := client.Ask(t.Context(), "payments", pod, http.MethodPut, "/v1/latency", map[string]int{"extra_ms": 300}, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Extra != 300 || got.method != http.MethodPut || got.body != `{"extra_ms":300}` ||
		got.path != "/api/v1/namespaces/faultline/pods/payments-abc:8080/proxy/v1/latency" {
		t.Errorf("asked %+v, answered %+v", got, answer)
	}
	err = client.Ask(t.Context(), "payments", pod, http.MethodGet, "/refused", nil, nil)
	if refusal, ok := errors.AsType[*control.Refusal](err); !ok || refusal.Status != http.StatusUnprocessableEntity || refusal.Message != "give 0 to 30000" {
		t.Errorf("a refusal: %v", err)
	}
}
