package kube_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/kube"
)

const namespace = "faultline"

func labels(name string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "faultline", "app.kubernetes.io/version": "v1"}
}

func deployment(name string, replicas int32, volumes ...corev1.Volume) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: labels(name)},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": name}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels(name)}, Spec: corev1.PodSpec{Volumes: volumes},
			},
		},
	}
}

func pod(workload, name, uid string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, UID: types.UID(uid), Labels: labels(workload)},
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}},
		},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func client(t *testing.T, objects ...runtime.Object) (*kube.Client, kubernetes.Interface) {
	t.Helper()
	api := fake.NewClientset(objects...)
	c, err := kube.New(kube.Config{API: api, Namespace: namespace, PollInterval: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return c, api
}

func TestAPodIsAReplicaInTheStateOfTheContract(t *testing.T) {
	unready := func(p *corev1.Pod) { p.Status.Conditions = nil }
	for state, change := range map[string]func(*corev1.Pod){
		control.Ready:    func(*corev1.Pod) {},
		control.Starting: unready,
		control.Stopping: func(p *corev1.Pod) { p.DeletionTimestamp, p.Finalizers = new(metav1.Now()), []string{"test/hold"} },
		control.Stopped:  func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed },
		control.Crashed: func(p *corev1.Pod) {
			unready(p)
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{
				State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
				LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}},
				RestartCount:         3,
			}}
		},
	} {
		t.Run(state, func(t *testing.T) {
			c, _ := client(t, deployment("orders", 2), pod("orders", "orders-a", "u1", change), pod("inventory", "inventory-a", "u2"))
			orders, err := c.Workload(t.Context(), "orders")
			if err != nil || len(orders.Replicas) != 1 || orders.Replicas[0].State != state || orders.Desired != 2 || orders.Version != "v1" {
				t.Errorf("%+v, %v", orders, err)
			}
			want := "u1.0"
			if state == control.Crashed {
				want = "u1.3"
			}
			if orders.Replicas[0].StartID != want {
				t.Errorf("start id %s, want %s", orders.Replicas[0].StartID, want)
			}
		})
	}
}

func TestAWorkloadThatIsNotThereIsAnErrorThatNamesThoseThatAre(t *testing.T) {
	c, _ := client(t, deployment("orders", 2))
	if _, err := c.Workload(t.Context(), "ordres"); err == nil || !strings.Contains(err.Error(), "there are: orders") {
		t.Errorf("got %v", err)
	}
}

func TestARestartDeletesThePodThatWasJudgedAndNoOther(t *testing.T) {
	for name, tt := range map[string]struct {
		workload, id, start string
		conflict, deleted   bool
	}{
		"the start that was judged":        {"orders", "orders-a", "u1.0", false, true},
		"another start already":            {"orders", "orders-a", "u0.0", true, false},
		"a pod that is gone":               {"orders", "orders-z", "u1.0", true, false},
		"a pod of somebody else":           {"orders", "postgres-0", "u9.0", false, false},
		"a namesake that is no part of us": {"orders", "stranger", "u7.0", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, api := client(t, deployment("orders", 1), pod("orders", "orders-a", "u1"), pod("postgres", "postgres-0", "u9"),
				pod("orders", "stranger", "u7", func(p *corev1.Pod) { delete(p.Labels, "app.kubernetes.io/part-of") }))
			err := c.Restart(t.Context(), tt.workload, tt.id, tt.start)
			if errors.Is(err, control.ErrConflict) != tt.conflict || (err == nil) != tt.deleted {
				t.Errorf("got %v", err)
			}
			for _, action := range api.(*fake.Clientset).Actions() {
				deletion, ok := action.(clienttesting.DeleteActionImpl)
				if ok && (deletion.DeleteOptions.Preconditions == nil || *deletion.DeleteOptions.Preconditions.UID != "u1") {
					t.Errorf("deleted without the UID as precondition: %+v; a newcomer of the same name would be hit", deletion.DeleteOptions)
				}
			}
			left, err := api.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
			if err != nil || (len(left.Items) == 2) != tt.deleted {
				t.Errorf("%d pods left (%v)", len(left.Items), err)
			}
		})
	}
}

func TestWaitReplacedWaitsUntilAnotherPodIsReadyInItsPlace(t *testing.T) {
	c, api := client(t, deployment("orders", 1), pod("orders", "orders-a", "u1"))
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error, 1)
	go func() { waited <- c.WaitReplaced(ctx, "orders", "orders-a", "u1.0") }()
	pods := api.CoreV1().Pods(namespace)
	if err := pods.Delete(t.Context(), "orders-a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-waited:
		t.Fatalf("no replica is there, and it returned: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	if _, err := pods.Create(t.Context(), pod("orders", "orders-b", "u2"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; err != nil {
		t.Error(err)
	}
	cancel()
	if err := c.WaitReplaced(ctx, "orders", "orders-b", "u2.0"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of its context: %v", err)
	}
}

func TestScaleChangesTheDeployment(t *testing.T) {
	c, _ := client(t, deployment("autoheal", 1))
	if err := c.Scale(t.Context(), "autoheal", 0); err != nil {
		t.Fatal(err)
	}
	healer, err := c.Workload(t.Context(), "autoheal")
	if err != nil || healer.Desired != 0 {
		t.Errorf("%+v, %v", healer, err)
	}
}

func TestStateIsWipedOnlyWhereItGoesWithThePod(t *testing.T) {
	claim := corev1.Volume{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "autoheal"},
	}}
	for name, tt := range map[string]struct {
		objects []runtime.Object
		want    string
	}{
		"scaled to 0":   {[]runtime.Object{deployment("autoheal", 0)}, ""},
		"still wanted":  {[]runtime.Object{deployment("autoheal", 1)}, "not scaled to 0"},
		"a pod is left": {[]runtime.Object{deployment("autoheal", 0), pod("autoheal", "autoheal-a", "u1")}, "autoheal-a is still ready"},
		"a pod that has ended is listed": {
			[]runtime.Object{deployment("autoheal", 0), pod("autoheal", "autoheal-a", "u1", func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed })}, "",
		},
		"files on a claim": {[]runtime.Object{deployment("autoheal", 0, claim)}, "overlay dev"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := client(t, tt.objects...)
			err := c.WipeState(t.Context(), "autoheal")
			if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
