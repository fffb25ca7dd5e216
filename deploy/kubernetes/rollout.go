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

// judge says who is not ready, one phrase each, or that somebody never will be.
func (s state) judge(now time.Time) ([]string, error) {
	var waiting []string
	for _, d := range s.deployments {
		if deploymentReady(d) {
			continue
		}
		if err := deploymentStuck(d, now); err != nil {
			return nil, err
		}
		phrase, err := s.missing(d.Name, d.Status.ReadyReplicas, wanted(d.Spec.Replicas), d.Spec.Selector.MatchLabels, now)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, phrase)
	}
	for _, set := range s.sets {
		if setReady(set) {
			continue
		}
		phrase, err := s.missing(set.Name, set.Status.ReadyReplicas, wanted(set.Spec.Replicas), set.Spec.Selector.MatchLabels, now)
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

// deploymentStuck is what Kubernetes itself says of a Deployment that does not get on.
func deploymentStuck(d appsv1.Deployment, now time.Time) error {
	if d.Status.ObservedGeneration < d.Generation {
		return nil // it speaks of what was asked before
	}
	for _, c := range d.Status.Conditions {
		refused := c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue &&
			now.Sub(c.LastTransitionTime.Time) > patience
		late := c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse && c.Reason == "ProgressDeadlineExceeded"
		if refused || late {
			return &hopelessError{reason: fmt.Sprintf("%s: %s: %s", d.Name, c.Reason, c.Message)}
		}
	}
	return nil
}

// missing says how far a workload is and what its pods wait for, such as "orders 1/2 (ContainerCreating)".
func (s state) missing(name string, ready, want int32, selector map[string]string, now time.Time) (string, error) {
	var reasons []string
	for _, pod := range s.pods {
		if !selects(selector, pod.Labels) || pod.DeletionTimestamp != nil {
			continue
		}
		reason, err := podWaits(pod, now)
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
