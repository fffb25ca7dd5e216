package kube

import (
	"fmt"
	"net"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// replica is what the healer knows of a pod. Kubernetes counts in whole seconds: a start is up to a second younger than
// it says.
func replica(pod corev1.Pod) workload.Replica {
	r := workload.Replica{
		ID: pod.Name, StartID: startID(pod), State: state(pod), Version: pod.Labels[versionLabel], Address: address(pod),
	}
	if running := container(pod).State.Running; running != nil {
		r.StartedAt = running.StartedAt.Time
	} else if pod.Status.StartTime != nil {
		r.StartedAt = pod.Status.StartTime.Time
	}
	r.StartedAt = utc(r.StartedAt)
	return r
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{} // in no zone at all, so that it stays zero
	}
	return t.UTC()
}

// startID is new at every start: of another pod, and of the container within the same pod.
func startID(pod corev1.Pod) string {
	return fmt.Sprintf("%s.%d", pod.UID, container(pod).RestartCount)
}

// container is the status of the program's own container, which is the first; empty before the kubelet has reported.
func container(pod corev1.Pod) corev1.ContainerStatus {
	if len(pod.Spec.Containers) == 0 {
		return corev1.ContainerStatus{}
	}
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == pod.Spec.Containers[0].Name {
			return status
		}
	}
	return corev1.ContainerStatus{}
}

func state(pod corev1.Pod) string {
	status := container(pod)
	switch {
	case pod.DeletionTimestamp != nil:
		return workload.Stopping
	case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		return workload.Stopped
	case isReady(pod):
		return workload.Ready
	case status.State.Terminated != nil, status.State.Waiting != nil && status.LastTerminationState.Terminated != nil:
		return workload.Crashed // it will be started again in the same pod
	}
	return workload.Starting
}

func isReady(pod corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// httpPort is the name of the port on which every program answers.
const httpPort = "http"

func address(pod corev1.Pod) string {
	if pod.Status.PodIP == "" {
		return ""
	}
	for _, c := range pod.Spec.Containers {
		for _, port := range c.Ports {
			if port.Name == httpPort {
				return net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(port.ContainerPort)))
			}
		}
	}
	return ""
}
