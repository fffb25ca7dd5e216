package target_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/kube"
	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// The same behaviour on both targets, each with a world of one replica that is replaced at once when it is restarted.
func TestBothTargetsBehaveAlike(t *testing.T) {
	for name, open := range map[string]func(*testing.T) target.Control{"local": local, "kubernetes": kubernetes} {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			orders, err := c.Workload(t.Context(), "orders")
			if err != nil || orders.Desired != 1 || len(orders.Replicas) != 1 || orders.Replicas[0].State != control.Ready {
				t.Fatalf("%+v, %v", orders, err)
			}
			first := orders.Replicas[0]
			if err := c.Restart(t.Context(), "orders", first.ID, "another start"); !errors.Is(err, control.ErrConflict) {
				t.Errorf("restarting a start that is no more: %v", err)
			}
			if err := c.Restart(t.Context(), "orders", first.ID, first.StartID); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := c.WaitReplaced(ctx, "orders", first.ID, first.StartID); err != nil {
				t.Fatal(err)
			}
			if err := c.Restart(t.Context(), "orders", first.ID, first.StartID); !errors.Is(err, control.ErrConflict) {
				t.Errorf("restarting it once more: %v", err)
			}
			if err := c.WipeState(t.Context(), "orders"); !errors.Is(err, control.ErrConflict) {
				t.Errorf("wiping the state of what runs: %v", err)
			}
			if err := c.Scale(t.Context(), "orders", 0); err != nil {
				t.Fatal(err)
			}
			if orders, err := c.Workload(t.Context(), "orders"); err != nil || orders.Desired != 0 {
				t.Errorf("scaled to 0: %+v, %v", orders, err)
			}
			if _, err := c.Workload(t.Context(), "nobody"); err == nil || !strings.Contains(err.Error(), "there are: orders") {
				t.Errorf("a workload that is not there: %v", err)
			}
		})
	}
}

// local is the control API of the contract, with one replica.
func local(t *testing.T) target.Control {
	var mu sync.Mutex
	desired, start := 1, 1
	mux := http.NewServeMux()
	conflict := func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, `{"error":{"code":"conflict","message":"it has changed"}}`)
	}
	mux.HandleFunc("GET /v1/workloads", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		orders := control.Workload{Name: "orders", Desired: desired}
		for range desired {
			orders.Replicas = append(orders.Replicas, control.Replica{ID: "orders-1", StartID: fmt.Sprint(start), State: control.Ready})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"workloads": []control.Workload{orders}})
	})
	mux.HandleFunc("POST /v1/workloads/orders/replicas/orders-1/restart", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var body map[string]string
		if json.NewDecoder(r.Body).Decode(&body) != nil || body["start_id"] != fmt.Sprint(start) {
			conflict(w)
			return
		}
		start++
	})
	mux.HandleFunc("PUT /v1/workloads/orders/scale", func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		var body map[string]int
		_ = json.NewDecoder(r.Body).Decode(&body)
		desired = body["replicas"]
	})
	mux.HandleFunc("DELETE /v1/workloads/orders/state", func(w http.ResponseWriter, _ *http.Request) { conflict(w) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := target.Open(endpoints.Stack{Endpoints: endpoints.Endpoints{Control: server.URL}, ControlTokenFile: token})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// kubernetes is a fake API server with one pod; a deleted pod is replaced at once, as a Deployment would.
func kubernetes(t *testing.T) target.Control {
	labels := map[string]string{"app.kubernetes.io/name": "orders", "app.kubernetes.io/part-of": "faultline"}
	pod := func(name string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "faultline", UID: types.UID("uid of " + name), Labels: labels},
			Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
		}
	}
	api := fake.NewClientset(pod("orders-a"), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "orders", Namespace: "faultline", Labels: labels},
		Spec:       appsv1.DeploymentSpec{Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels}},
	})
	api.PrependReactor("delete", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return false, nil, api.Tracker().Add(pod("orders-b")) // the client itself is locked meanwhile
	})
	c, err := kube.New(kube.Config{API: api, Namespace: "faultline"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAStackThatCannotBeReachedIsAClearError(t *testing.T) {
	for name, tt := range map[string]struct {
		stack endpoints.Stack
		want  string
	}{
		"without its token": {endpoints.Stack{ControlTokenFile: filepath.Join(t.TempDir(), "nothing")}, "token cannot be read"},
		"without its kubeconfig": {
			endpoints.Stack{Kubernetes: &endpoints.Kubernetes{Kubeconfig: filepath.Join(t.TempDir(), "nothing"), Context: "kind-faultline", Namespace: "n"}},
			"stack kind status",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := target.Open(tt.stack); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
