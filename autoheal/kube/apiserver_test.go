package kube_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/kube"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
	"github.com/faultline-lab/faultline/autoheal/workload/workloadtest"
)

var _ workloadtest.Control = (*kube.Control)(nil)

func optIn() map[string]string { return map[string]string{workload.OptInLabel: "enabled"} }

// TestKubernetesBehavesLikeEveryControl runs the suite on a real API server, with no more rights than the healer has.
func TestKubernetesBehavesLikeEveryControl(t *testing.T) {
	workloadtest.Run(t, func(t *testing.T) workloadtest.Control {
		c := newCluster(t)
		c.grant()
		c.deploy(workloadtest.Name, "v1", 2, optIn())
		c.deploy(workloadtest.Other, "v1", 1, nil)
		c.release(workloadtest.Name, "v2")
		return c.control()
	})
}

// ward is a cluster with one workload of two replicas in the healer's hands.
func ward(t *testing.T) *cluster {
	t.Helper()
	c := newCluster(t)
	c.grant()
	c.deploy("orders", "v1", 2, optIn())
	return c
}

// budget lets Kubernetes refuse evictions that leave fewer replicas than this.
func (c *cluster) budget(available int32) {
	c.t.Helper()
	made, err := c.admin.PolicyV1().PodDisruptionBudgets(c.namespace).Create(c.t.Context(), &policyv1.PodDisruptionBudget{
		ObjectMeta: metav1.ObjectMeta{Name: "orders"},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable: new(intstr.FromInt32(available)), UnhealthyPodEvictionPolicy: new(policyv1.AlwaysAllow),
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": "orders"}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	c.eventually("the budget is counted", func() bool {
		now, err := c.admin.PolicyV1().PodDisruptionBudgets(c.namespace).Get(c.t.Context(), made.Name, metav1.GetOptions{})
		return err == nil && now.Status.ObservedGeneration == now.Generation && now.Status.CurrentHealthy == 2
	})
}

func application(r workload.Replica) remedy.Application {
	return remedy.Application{
		Target:     incident.Target{Kind: incident.ReplicaTarget, Workload: "orders", Name: r.ID, Is: r.StartID, State: r.State},
		IntendedAt: time.Now(), Timeout: time.Minute,
	}
}

func TestTheRemedyReplacesAPodAndTellsByEvents(t *testing.T) {
	c := ward(t)
	c.budget(1)
	recorder, stop := kube.NewRecorder(c.client(), c.namespace, slog.New(slog.DiscardHandler))
	t.Cleanup(stop)
	control := c.control(func(cfg *kube.Config) { cfg.Recorder = recorder })
	restart, err := remedy.NewRestartReplicas(control)
	if err != nil {
		t.Fatal(err)
	}
	before := c.workload("orders")
	sick := before.Replicas[0]
	effect := control.Announced(restart).Apply(t.Context(), application(sick))
	after := c.workload("orders")
	if effect.Result != incident.ResultDone || len(effect.ReplacedBy) != 1 || !strings.Contains(effect.Detail, effect.ReplacedBy[0]) {
		t.Fatalf("%+v; want done, with the replacement's name", effect)
	}
	if _, there := after.Replica(sick.ID); there || after.Ready() != 2 {
		t.Errorf("%+v; want %s gone and two others ready", after, sick.ID)
	}
	if _, there := after.Replica(before.Replicas[1].ID); !there {
		t.Errorf("%s was ended as well", before.Replicas[1].ID)
	}
	c.eventually("both events are on the Deployment and on the pod", func() bool {
		events, err := c.admin.CoreV1().Events(c.namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return false
		}
		found := map[string]bool{}
		for _, e := range events.Items {
			found[e.Reason+" "+e.InvolvedObject.Kind+" "+e.InvolvedObject.Name] = e.InvolvedObject.UID != ""
		}
		return found["AutohealRestarting Deployment orders"] && found["AutohealRestarted Deployment orders"] &&
			found["AutohealRestarting Pod "+sick.ID] && found["AutohealRestarted Pod "+sick.ID]
	})
	// The same intent, found by the next life of the healer.
	resumed := application(sick)
	resumed.Resumed = true
	if again := restart.Apply(t.Context(), resumed); again.Result != incident.ResultDone || c.workload("orders").Ready() != 2 {
		t.Errorf("resumed: %+v", again)
	}
}

func TestADisruptionBudgetIsHonoured(t *testing.T) {
	c := ward(t)
	c.budget(2)
	sick := c.workload("orders").Replicas[0]
	err := c.control().Restart(t.Context(), "orders", sick.ID, sick.StartID)
	if !errors.Is(err, workload.ErrNotNow) || !strings.Contains(err.Error(), "PodDisruptionBudget") {
		t.Fatalf("%v; want ErrNotNow with a word about the budget", err)
	}
	restart, err := remedy.NewRestartReplicas(c.control())
	if err != nil {
		t.Fatal(err)
	}
	one := application(sick)
	one.Timeout = 2 * time.Second
	if effect := restart.Apply(t.Context(), one); effect.Result != incident.ResultFailed || !strings.Contains(effect.Detail, "PodDisruptionBudget") {
		t.Errorf("%+v; want failed because of the budget", effect)
	}
	if now, there := c.workload("orders").Replica(sick.ID); !there || now.StartID != sick.StartID {
		t.Errorf("%s was ended: %+v", sick.ID, now)
	}
}

// A sick pod must not wait for a budget that counts only the healthy: it is what uses the budget up.
func TestABudgetDoesNotProtectAPodThatIsNotReady(t *testing.T) {
	c := ward(t)
	c.budget(2)
	sick := c.workload("orders").Replicas[0]
	c.setStatus(sick.ID, func(status *corev1.PodStatus) { status.Conditions[0].Status = corev1.ConditionFalse })
	if err := c.control().Restart(t.Context(), "orders", sick.ID, sick.StartID); err != nil {
		t.Errorf("%v", err)
	}
}

// setStatus changes what the kubelet says of a pod.
func (c *cluster) setStatus(name string, change func(*corev1.PodStatus)) {
	c.t.Helper()
	c.eventually("the status is taken", func() bool {
		pod, err := c.admin.CoreV1().Pods(c.namespace).Get(c.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return false
		}
		change(&pod.Status)
		_, err = c.admin.CoreV1().Pods(c.namespace).UpdateStatus(c.t.Context(), pod, metav1.UpdateOptions{})
		return err == nil
	})
}

func TestAContainerThatStartedAgainIsAnotherStart(t *testing.T) {
	c := ward(t)
	judged := c.workload("orders").Replicas[0]
	c.setStatus(judged.ID, func(status *corev1.PodStatus) { status.ContainerStatuses[0].RestartCount = 1 })
	if err := c.control().Restart(t.Context(), "orders", judged.ID, judged.StartID); !errors.Is(err, workload.ErrConflict) {
		t.Errorf("%v; want ErrConflict", err)
	}
	if now, there := c.workload("orders").Replica(judged.ID); !there || now.State != workload.Ready {
		t.Errorf("it was ended: %+v", now)
	}
}

func TestWhatIsNotOptedInIsNotTouched(t *testing.T) {
	c := newCluster(t)
	c.grant()
	c.deploy("orders", "v1", 1, nil)
	c.deploy("payments", "v1", 1, optIn())
	pod := c.workload("orders").Replicas[0]
	control := c.control()
	for what, err := range map[string]error{
		"restart":                         control.Restart(t.Context(), "orders", pod.ID, pod.StartID),
		"scale":                           control.Scale(t.Context(), "orders", 1, 2, ""),
		"scale what the Role leaves out":  control.Scale(t.Context(), "payments", 1, 2, ""),
		"restart with the Deployment out": c.restartWithLabels(pod, "pod"),
		"restart with the pod out":        c.restartWithLabels(pod, "deployment"),
	} {
		if !errors.Is(err, workload.ErrRefused) {
			t.Errorf("%s: %v; want ErrRefused", what, err)
		}
	}
	if now := c.workload("orders"); len(now.Replicas) != 1 || now.Replicas[0].StartID != pod.StartID || now.Desired != 1 {
		t.Errorf("it was touched: %+v", now)
	}
}

// restartWithLabels opts only one of the two in, and tries.
func (c *cluster) restartWithLabels(pod workload.Replica, kind string) error {
	c.t.Helper()
	with := []byte(`{"metadata":{"labels":{"` + workload.OptInLabel + `":"enabled"}}}`)
	without := []byte(`{"metadata":{"labels":{"` + workload.OptInLabel + `":null}}}`)
	patch := func(deployment, one []byte) {
		_, err := c.admin.AppsV1().Deployments(c.namespace).Patch(c.t.Context(), "orders", types.MergePatchType, deployment, metav1.PatchOptions{})
		if err != nil {
			c.t.Fatal(err)
		}
		_, err = c.admin.CoreV1().Pods(c.namespace).Patch(c.t.Context(), pod.ID, types.MergePatchType, one, metav1.PatchOptions{})
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if kind == "pod" {
		patch(without, with)
	} else {
		patch(with, without)
	}
	defer patch(without, without)
	return c.control().Restart(c.t.Context(), "orders", pod.ID, pod.StartID)
}

// TestAReadSeesWhatWasWrittenBefore writes with one client and reads with another, again and again: a cache would lag.
func TestAReadSeesWhatWasWrittenBefore(t *testing.T) {
	c := ward(t)
	id := c.workload("orders").Replicas[0].ID
	for n := range int32(20) {
		c.setStatus(id, func(status *corev1.PodStatus) { status.ContainerStatuses[0].RestartCount = n + 1 })
		if now, _ := c.workload("orders").Replica(id); !strings.HasSuffix(now.StartID, fmt.Sprintf(".%d", n+1)) {
			t.Fatalf("start id %s after restart %d", now.StartID, n+1)
		}
	}
}

func TestTheKillSwitchOnARealServer(t *testing.T) {
	c := newCluster(t)
	off := c.control().KillSwitch("autoheal-off")
	if got := off(); got != guard.SwitchUnknown {
		t.Errorf("without the right to read it: %v; want unknown", got)
	}
	c.grant()
	c.eventually("the switch is off", func() bool { return off() == guard.SwitchOff })
	_, err := c.admin.CoreV1().ConfigMaps(c.namespace).Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "autoheal-off"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := off(); got != guard.SwitchOn {
		t.Errorf("with the ConfigMap there: %v; want on", got)
	}
}
