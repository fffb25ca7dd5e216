package kind

import (
	"net/url"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/faultline-lab/faultline/deploy/local/ports"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

func TestSecretsAreMadeOnceAndKept(t *testing.T) {
	client := fake.NewClientset()
	first, err := ensureSecret(t.Context(), client, "shop", databaseSecret, superuserPassword, ordersPassword)
	if err != nil {
		t.Fatal(err)
	}
	if len(first[superuserPassword]) < 32 || first[superuserPassword] == first[ordersPassword] {
		t.Errorf("made %v", first)
	}
	if text := first[superuserPassword]; url.QueryEscape(text) != text {
		t.Errorf("%q means something in a URL", text)
	}
	again, err := ensureSecret(t.Context(), client, "shop", databaseSecret, superuserPassword, ordersPassword)
	if err != nil || again[superuserPassword] != first[superuserPassword] || again[ordersPassword] != first[ordersPassword] {
		t.Errorf("the second time %v, %v; want %v", again, err, first)
	}
	stored, err := client.CoreV1().Secrets("shop").Get(t.Context(), databaseSecret, metav1.GetOptions{})
	if err != nil || string(stored.Data[ordersPassword]) != first[ordersPassword] {
		t.Errorf("stored %v, %v", stored, err)
	}
	if stored.Labels["app.kubernetes.io/managed-by"] != "" {
		t.Error("an apply would prune it")
	}
}

func TestASecretThatLacksAKeyIsNotFilledUp(t *testing.T) {
	client := fake.NewClientset(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: databaseSecret, Namespace: "shop"}, Data: map[string][]byte{superuserPassword: []byte("x")},
	})
	_, err := ensureSecret(t.Context(), client, "shop", databaseSecret, superuserPassword, ordersPassword)
	if err == nil || !strings.Contains(err.Error(), ordersPassword) || !strings.Contains(err.Error(), "stack kind down") {
		t.Errorf("it says %v", err)
	}
}

func TestTheNamespaceMayBeThereAlready(t *testing.T) {
	client := fake.NewClientset()
	for range 2 {
		if err := ensureNamespace(t.Context(), client, "shop"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheAddressesAreThoseOfTheHost(t *testing.T) {
	set := ports.Default()
	set[ports.Postgres] = 7000
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := checkout(t)
	stack := addresses(Config{Cluster: "x", Ports: set}, at, "shop",
		map[string]string{ordersPassword: "o", inventoryPassword: "i", superuserPassword: "s"}, since, false)
	if stack.Target != endpoints.Kind || !stack.StartedAt.Equal(since) || stack.PID != 0 {
		t.Errorf("%+v", stack)
	}
	if stack.Endpoints.Storefront != "http://127.0.0.1:8080" || stack.Endpoints.Control != "" || stack.Endpoints.Grafana != "" ||
		stack.Endpoints.OTLP != "http://127.0.0.1:4318" || stack.Endpoints.Toxiproxy != "" {
		t.Errorf("%+v", stack.Endpoints)
	}
	want := map[string]string{
		"orders":    "postgres://orders:o@127.0.0.1:7000/orders?sslmode=disable",
		"inventory": "postgres://inventory:i@127.0.0.1:7000/inventory?sslmode=disable",
		"admin":     "postgres://postgres:s@127.0.0.1:7000/postgres?sslmode=disable",
	}
	for name, url := range want {
		if stack.DatabaseURLs[name] != url {
			t.Errorf("%s: %s, want %s", name, stack.DatabaseURLs[name], url)
		}
	}
	if *stack.Kubernetes != (endpoints.Kubernetes{Kubeconfig: at.kubeconfig, Context: "kind-x", Namespace: "shop"}) {
		t.Errorf("%+v", *stack.Kubernetes)
	}
}
