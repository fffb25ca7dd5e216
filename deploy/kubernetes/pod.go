package kubernetes

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// patience is for what may pass: a node that is not ready yet, a Secret or an account that comes a moment later.
	patience = 20 * time.Second
	// pullPatience is for a registry that is away for a moment.
	pullPatience = time.Minute
	// tries is after how many restarts a program is taken to be broken, and not only early.
	tries = 3
	// wrongUsage is the exit code of every program of ours whose flags are wrong (docs/contracts.md).
	wrongUsage = 2
	partOf     = "app.kubernetes.io/part-of"
)

// podWaits says in a word what a pod waits for, nothing when it is ready, and an error when waiting is in vain.
func podWaits(pod corev1.Pod, from wait, now time.Time) (string, error) {
	scheduled := condition(pod, corev1.PodScheduled)
	if scheduled != nil && scheduled.Status == corev1.ConditionFalse {
		if now.Sub(scheduled.LastTransitionTime.Time) > patience {
			return "", &hopelessError{reason: fmt.Sprintf("pod %s finds no node: %s", pod.Name, scheduled.Message)}
		}
		return scheduled.Reason, nil
	}
	if pod.Spec.NodeName == "" {
		return "waits for a node", nil
	}
	for _, status := range pod.Status.ContainerStatuses {
		if status.Ready {
			continue
		}
		if waiting := status.State.Waiting; waiting != nil {
			return waiting.Reason, inVain(pod, status, *waiting, from, now)
		}
		if ended := status.State.Terminated; ended != nil {
			return fmt.Sprintf("ended with code %d", ended.ExitCode), nil
		}
		return "starting", nil
	}
	if ready := condition(pod, corev1.PodReady); ready == nil || ready.Status != corev1.ConditionTrue {
		return "starting", nil
	}
	return "", nil
}

// inVain says why a container will not start, where that is final.
func inVain(pod corev1.Pod, status corev1.ContainerStatus, waiting corev1.ContainerStateWaiting, from wait, now time.Time) error {
	say := func(format string, args ...any) error {
		return &hopelessError{reason: fmt.Sprintf("pod %s: ", pod.Name) + fmt.Sprintf(format, args...)}
	}
	switch waiting.Reason {
	case "ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName":
		scheduled := condition(pod, corev1.PodScheduled)
		if waiting.Reason == "ImagePullBackOff" && scheduled != nil &&
			now.Sub(later(scheduled.LastTransitionTime.Time, from.settled)) <= pullPatience {
			return nil // the node tries again
		}
		return say("image %s is not on the node and cannot be pulled (%s): load it, or say with another image which one: %s",
			image(pod, status.Name), waiting.Reason, waiting.Message)
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		// It is tried again every few seconds, and what it misses may come.
		if scheduled := condition(pod, corev1.PodScheduled); scheduled != nil && now.Sub(scheduled.LastTransitionTime.Time) > patience {
			return say("%s: %s", waiting.Reason, waiting.Message)
		}
	case "CrashLoopBackOff":
		return crashes(pod, status, from)
	}
	return nil
}

// crashes gives a program some tries, but none to one of ours that was called wrongly.
func crashes(pod corev1.Pod, status corev1.ContainerStatus, from wait) error {
	ended := "ends again and again"
	if last := status.LastTerminationState.Terminated; last != nil {
		ended += fmt.Sprintf(", last with code %d (%s)", last.ExitCode, last.Reason)
		if last.ExitCode == wrongUsage && !last.FinishedAt.Time.Before(from.began) && pod.Labels[partOf] == "faultline" {
			return &hopelessError{pod: pod.Name, container: status.Name, reason: fmt.Sprintf("pod %s %s", pod.Name, ended)}
		}
	}
	if status.RestartCount-from.restarts[pod.Name+"/"+status.Name] < tries {
		return nil
	}
	return &hopelessError{pod: pod.Name, container: status.Name, reason: fmt.Sprintf("pod %s %s", pod.Name, ended)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func condition(pod corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

// image is what the manifest asked for; the status holds it only once it was found.
func image(pod corev1.Pod, name string) string {
	for _, c := range pod.Spec.Containers {
		if c.Name == name {
			return c.Image
		}
	}
	return "?"
}
