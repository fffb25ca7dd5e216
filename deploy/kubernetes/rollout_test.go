package kubernetes

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// deployment wants two replicas and has them, all of the last template.
func deployment() appsv1.Deployment {
	return appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "orders", Generation: 2},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": "orders"}},
		},
		Status: appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 2, UpdatedReplicas: 2, ReadyReplicas: 2, AvailableReplicas: 2},
	}
}

func TestADeploymentIsReadyWhenAllItsReplicasAreOfTheLastTemplateAndNoOtherIsLeft(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*appsv1.Deployment)
		ready  bool
	}{
		"as it should be":                {func(*appsv1.Deployment) {}, true},
		"the controller has not seen it": {func(d *appsv1.Deployment) { d.Generation = 3 }, false},
		"one is not available":           {func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 1 }, false},
		"one is of the template before":  {func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 1 }, false},
		"an old one is still there":      {func(d *appsv1.Deployment) { d.Status.Replicas = 3 }, false},
		"none is wanted and none is there": {func(d *appsv1.Deployment) {
			d.Spec.Replicas = new(int32(0))
			d.Status = appsv1.DeploymentStatus{ObservedGeneration: 2}
		}, true},
		"how many is not said, which means one": {func(d *appsv1.Deployment) { d.Spec.Replicas = nil }, false},
	} {
		d := deployment()
		c.change(&d)
		if got := deploymentReady(d); got != c.ready {
			t.Errorf("%s: ready %v", name, got)
		}
	}
}

func TestASetIsReadyWhenAllItsReplicasAre(t *testing.T) {
	set := appsv1.StatefulSet{Status: appsv1.StatefulSetStatus{ReadyReplicas: 1, UpdateRevision: "a", CurrentRevision: "a"}}
	if !setReady(set) {
		t.Error("as it should be: not ready")
	}
	set.Status.UpdateRevision = "b"
	if setReady(set) {
		t.Error("still of the template before, and ready")
	}
	set.Status.UpdatedReplicas = 1
	if !setReady(set) {
		t.Error("of the last template: not ready")
	}
	set.Status.ReadyReplicas = 0
	if setReady(set) {
		t.Error("not ready, and ready")
	}
}

// pod of orders is on a node since long ago, and its container waits for a reason.
func pod(reason, message string, restarts int32) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "orders-1", Labels: map[string]string{"app.kubernetes.io/name": "orders", partOf: "faultline"}},
		Spec:       corev1.PodSpec{NodeName: "node", Containers: []corev1.Container{{Name: "main", Image: "faultline.dev/orders:1"}}},
		Status: corev1.PodStatus{
			Conditions: []corev1.PodCondition{scheduled(corev1.ConditionTrue, now.Add(-time.Hour))},
			ContainerStatuses: []corev1.ContainerStatus{{
				Name: "main", RestartCount: restarts,
				State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
			}},
		},
	}
}

func scheduled(status corev1.ConditionStatus, since time.Time) corev1.PodCondition {
	return corev1.PodCondition{
		Type: corev1.PodScheduled, Status: status, Reason: "Unschedulable", Message: "0/1 nodes are available: 1 Insufficient cpu.",
		LastTransitionTime: metav1.NewTime(since),
	}
}

func TestWhatMayPassIsWaitedForAndWhatDoesNotIsAnError(t *testing.T) {
	exited := func(p corev1.Pod, code int32) corev1.Pod {
		p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Error"}
		return p
	}
	on := func(p corev1.Pod, c corev1.PodCondition) corev1.Pod {
		p.Status.Conditions = []corev1.PodCondition{c}
		return p
	}
	foreign := exited(pod("CrashLoopBackOff", "", 1), 2)
	foreign.Labels = map[string]string{"app.kubernetes.io/name": "orders", partOf: "faultline-stack"}
	for name, c := range map[string]struct {
		pod     corev1.Pod
		waiting string
		vain    string
		log     bool
	}{
		"being made":                       {pod: pod("ContainerCreating", "", 0), waiting: "orders 1/2 (ContainerCreating)"},
		"first pull failed":                {pod: pod("ErrImagePull", "", 0), waiting: "orders 1/2 (ErrImagePull)"},
		"image cannot be pulled":           {pod: pod("ImagePullBackOff", "no such host", 0), vain: "faultline.dev/orders:1 is not on the node"},
		"image may not be pulled":          {pod: pod("ErrImageNeverPull", "not present", 0), vain: "faultline.dev/orders:1"},
		"crashed once":                     {pod: exited(pod("CrashLoopBackOff", "", 1), 1), waiting: "orders 1/2 (CrashLoopBackOff)"},
		"crashed three times":              {pod: exited(pod("CrashLoopBackOff", "", 3), 1), vain: "code 1 (Error)", log: true},
		"called wrongly":                   {pod: exited(pod("CrashLoopBackOff", "", 1), 2), vain: "code 2 (Error)", log: true},
		"somebody else's code 2":           {pod: foreign, waiting: "orders 1/2 (CrashLoopBackOff)"},
		"no Secret, still":                 {pod: pod("CreateContainerConfigError", `secret "postgres" not found`, 0), vain: `secret "postgres" not found`},
		"no Secret, for a moment":          {pod: on(pod("CreateContainerConfigError", "", 0), scheduled(corev1.ConditionTrue, now.Add(-time.Second))), waiting: "orders 1/2 (CreateContainerConfigError)"},
		"no node for a moment":             {pod: on(pod("", "", 0), scheduled(corev1.ConditionFalse, now.Add(-time.Second))), waiting: "orders 1/2 (Unschedulable)"},
		"no node":                          {pod: on(pod("", "", 0), scheduled(corev1.ConditionFalse, now.Add(-time.Minute))), vain: "Insufficient cpu"},
		"another one that does not matter": {pod: corev1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app.kubernetes.io/name": "order"}}}, waiting: "orders 1/2"},
	} {
		t.Run(name, func(t *testing.T) {
			d := deployment()
			d.Status.ReadyReplicas, d.Status.AvailableReplicas = 1, 1
			waiting, err := state{deployments: []appsv1.Deployment{d}, pods: []corev1.Pod{c.pod}}.judge(wait{}, now)
			if c.vain == "" {
				if err != nil || !slices.Equal(waiting, []string{c.waiting}) {
					t.Errorf("got %q, %v; want %q", waiting, err, c.waiting)
				}
				return
			}
			hopeless, ok := errors.AsType[*hopelessError](err)
			if !ok || !strings.Contains(err.Error(), c.vain) || !strings.Contains(err.Error(), "orders-1") {
				t.Fatalf("got %q, %v", waiting, err)
			}
			if (hopeless.container != "") != c.log {
				t.Errorf("its last words are asked for: %v", hopeless.container != "")
			}
		})
	}
}

func TestWhatKubernetesGivesUpIsAnErrorUnlessItWasAskedAnewSince(t *testing.T) {
	late := appsv1.DeploymentCondition{
		Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded", Message: "timed out",
	}
	refused := appsv1.DeploymentCondition{
		Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: "violates PodSecurity",
		LastTransitionTime: metav1.NewTime(now.Add(-time.Minute)),
	}
	early := refused
	early.LastTransitionTime = metav1.NewTime(now)
	for name, c := range map[string]struct {
		condition  appsv1.DeploymentCondition
		generation int64
		vain       bool
	}{
		"too late": {late, 2, true}, "too late, and changed since": {late, 3, false},
		"its pods are refused": {refused, 2, true}, "its pods are refused for a moment": {early, 2, false},
	} {
		d := deployment()
		d.Generation, d.Status.AvailableReplicas = c.generation, 1
		d.Status.Conditions = []appsv1.DeploymentCondition{c.condition}
		_, err := state{deployments: []appsv1.Deployment{d}}.judge(wait{}, now)
		if (err != nil) != c.vain || c.vain && !strings.Contains(err.Error(), c.condition.Message) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsReadyIsNotWaitedFor(t *testing.T) {
	waiting, err := state{deployments: []appsv1.Deployment{deployment()}, pods: []corev1.Pod{pod("ImagePullBackOff", "", 0)}}.judge(wait{}, now)
	if err != nil || len(waiting) != 0 {
		t.Errorf("got %q, %v", waiting, err)
	}
}

func TestWhatWentWrongBeforeTheWaitOrWhileAContainerIsMadeIsNotHeldAgainstAnybody(t *testing.T) {
	late := deployment()
	late.Status.AvailableReplicas = 1
	late.Status.Conditions = []appsv1.DeploymentCondition{{
		Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded", Message: "timed out",
	}}
	late.Spec.ProgressDeadlineSeconds = new(int32(120))
	wrong := pod("CrashLoopBackOff", "", 4)
	wrong.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
		ExitCode: wrongUsage, FinishedAt: metav1.NewTime(now.Add(-time.Minute)),
	}
	for name, c := range map[string]struct {
		pod  corev1.Pod // the first look
		then corev1.Pod // after the time below
		in   time.Duration
		vain bool
	}{
		"late already":                             {pod("starting", "", 0), pod("starting", "", 0), time.Minute, false},
		"late still":                               {pod("starting", "", 0), pod("starting", "", 0), 3 * time.Minute, true},
		"late by a pull":                           {pod("starting", "", 0), pod("ContainerCreating", "", 0), time.Hour, false},
		"a pull that fails for a moment":           {pod("starting", "", 0), pod("ImagePullBackOff", "", 0), time.Minute, false},
		"a pull that fails for longer":             {pod("starting", "", 0), pod("ImagePullBackOff", "", 0), 61 * time.Second, true},
		"restarted earlier, and twice since":       {pod("CrashLoopBackOff", "", 5), pod("CrashLoopBackOff", "", 7), time.Second, false},
		"restarted earlier, and three times since": {pod("CrashLoopBackOff", "", 5), pod("CrashLoopBackOff", "", 8), time.Second, true},
		"called wrongly before":                    {wrong, wrong, time.Second, false},
	} {
		at := now.Add(c.in)
		first := state{deployments: []appsv1.Deployment{late}, pods: []corev1.Pod{c.pod}}
		from := wait{began: now}.after(first, now)
		then := state{deployments: first.deployments, pods: []corev1.Pod{c.then}}
		if _, err := then.judge(from.after(then, at), at); (err != nil) != c.vain {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRestartsCountFromWhenAllContainersWereMade(t *testing.T) {
	d := deployment()
	d.Status.AvailableReplicas = 1
	database := pod("ContainerCreating", "", 0)
	database.Name, database.Labels = "postgres-0", nil
	look := func(restarts int32, others ...corev1.Pod) state {
		return state{deployments: []appsv1.Deployment{d}, pods: append(others, pod("CrashLoopBackOff", "", restarts))}
	}
	from := wait{began: now}
	for _, seen := range []state{look(0, database), look(4, database), look(6)} {
		from = from.after(seen, now)
		if _, err := seen.judge(from, now); err != nil {
			t.Error(err)
		}
	}
	if _, err := look(7).judge(from.after(look(7), now), now); err == nil {
		t.Error("three restarts with everything there, and no error")
	}
}
