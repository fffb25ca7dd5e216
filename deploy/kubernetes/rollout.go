package kubernetes

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// state is one look at a namespace.
type state struct {
	deployments []appsv1.Deployment
	sets        []appsv1.StatefulSet
	pods        []corev1.Pod
}

// wait is what one wait for a namespace counts from, so that what went wrong earlier is not held against it.
type wait struct {
	began time.Time
	// settled is the last look at which a container was still being made, its image pulled perhaps: until then, who needs it may
	// end and be late without being broken. Without one it is when the wait began.
	settled  time.Time
	restarts map[string]int32 // of each container, then
}

// after is the wait after a look.
func (w wait) after(s state, now time.Time) wait {
	if w.restarts != nil && !s.making() {
		return w
	}
	w.settled, w.restarts = now, map[string]int32{}
	for _, pod := range s.pods {
		for _, status := range pod.Status.ContainerStatuses {
			w.restarts[pod.Name+"/"+status.Name] = status.RestartCount
		}
	}
	return w
}

// making says whether a container is still being made. A pod that is deleted does not count.
func (s state) making() bool {
	return slices.ContainsFunc(s.pods, func(pod corev1.Pod) bool {
		return pod.DeletionTimestamp == nil && slices.ContainsFunc(pod.Status.ContainerStatuses, func(status corev1.ContainerStatus) bool {
			return status.State.Waiting != nil && status.State.Waiting.Reason == "ContainerCreating"
		})
	})
}

// judge says who is not ready, one phrase each, or that somebody never will be.
func (s state) judge(from wait, now time.Time) ([]string, error) {
	var waiting []string
	for _, d := range s.deployments {
		if deploymentReady(d) {
			continue
		}
		if err := deploymentStuck(d, from, now); err != nil {
			return nil, err
		}
		phrase, err := s.missing(d.Name, d.Status.ReadyReplicas, wanted(d.Spec.Replicas), d.Spec.Selector.MatchLabels, from, now)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, phrase)
	}
	for _, set := range s.sets {
		if setReady(set) {
			continue
		}
		phrase, err := s.missing(set.Name, set.Status.ReadyReplicas, wanted(set.Spec.Replicas), set.Spec.Selector.MatchLabels, from, now)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, phrase)
	}
	slices.Sort(waiting)
	return waiting, nil
}

func wanted(replicas *int32) int32 {
	if replicas == nil {
		return 1
	}
	return *replicas
}

// deploymentReady is what `kubectl rollout status` waits for: all replicas are of the last template and available, and
// none of an earlier one is left.
func deploymentReady(d appsv1.Deployment) bool {
	want, is := wanted(d.Spec.Replicas), d.Status
	return is.ObservedGeneration >= d.Generation && is.UpdatedReplicas == want && is.AvailableReplicas == want && is.Replicas == want
}

func setReady(set appsv1.StatefulSet) bool {
	want, is := wanted(set.Spec.Replicas), set.Status
	return is.ObservedGeneration >= set.Generation && is.ReadyReplicas == want &&
		(is.UpdateRevision == is.CurrentRevision || is.UpdatedReplicas == want)
}

// deploymentStuck is what Kubernetes itself says of a Deployment that does not get on. Its deadline runs while images are
// pulled, and its word stays from one wait to the next: so it has the same time once more from when all containers were made.
func deploymentStuck(d appsv1.Deployment, from wait, now time.Time) error {
	if d.Status.ObservedGeneration < d.Generation {
		return nil // it speaks of what was asked before
	}
	for _, c := range d.Status.Conditions {
		refused := c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue &&
			now.Sub(c.LastTransitionTime.Time) > patience
		late := c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse && c.Reason == "ProgressDeadlineExceeded" &&
			now.Sub(from.settled) > deadline(d)
		if refused || late {
			return &hopelessError{reason: fmt.Sprintf("%s: %s: %s", d.Name, c.Reason, c.Message)}
		}
	}
	return nil
}

// deadline is the Deployment's own, or the default of Kubernetes.
func deadline(d appsv1.Deployment) time.Duration {
	if d.Spec.ProgressDeadlineSeconds == nil {
		return 10 * time.Minute
	}
	return time.Duration(*d.Spec.ProgressDeadlineSeconds) * time.Second
}

// missing says how far a workload is and what its pods wait for, such as "orders 1/2 (ContainerCreating)".
func (s state) missing(name string, ready, want int32, selector map[string]string, from wait, now time.Time) (string, error) {
	var reasons []string
	for _, pod := range s.pods {
		if !selects(selector, pod.Labels) || pod.DeletionTimestamp != nil {
			continue
		}
		reason, err := podWaits(pod, from, now)
		if err != nil {
			return "", err
		}
		if reason != "" && !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	phrase := fmt.Sprintf("%s %d/%d", name, ready, want)
	if len(reasons) > 0 {
		slices.Sort(reasons)
		phrase += " (" + strings.Join(reasons, ", ") + ")"
	}
	return phrase, nil
}

func selects(selector, labels map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return true
}
