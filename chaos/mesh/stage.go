package mesh

import (
	"strings"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
)

// stage is how far Chaos Mesh is with a resource.
type stage string

// The stages, in their order.
const (
	unseen     stage = "Chaos Mesh has not looked at it"
	selecting  stage = "it has selected no pod"
	injecting  stage = "it is being injected"
	injected   stage = "it is injected"
	paused     stage = "somebody has paused it (annotation " + v1alpha1.PauseAnnotationKey + ")"
	recovering stage = "its duration is over, and it is being taken away"
	recovered  stage = "its duration is over, and it has been taken away"
	removing   stage = "it has been deleted, and is being taken away"
)

// stageOf reads the conditions. AllRecovered alone says little: it also holds before anything is injected, so the wish counts
// (status.experiment.desiredPhase), which Chaos Mesh sets to Stop when the duration is over.
func stageOf(resource Resource) stage {
	status := resource.GetStatus()
	switch {
	case resource.GetDeletionTimestamp() != nil:
		return removing
	case holds(status, v1alpha1.ConditionPaused):
		return paused
	case status.Experiment.DesiredPhase == v1alpha1.StoppedPhase && holds(status, v1alpha1.ConditionAllRecovered):
		return recovered
	case status.Experiment.DesiredPhase == v1alpha1.StoppedPhase:
		return recovering
	case holds(status, v1alpha1.ConditionAllInjected):
		return injected
	case holds(status, v1alpha1.ConditionSelected):
		return injecting
	case len(status.Conditions) > 0:
		return selecting
	default:
		return unseen
	}
}

func holds(status *v1alpha1.ChaosStatus, wanted v1alpha1.ChaosConditionType) bool {
	for _, condition := range status.Conditions {
		if condition.Type == wanted {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// podName is one pod that a resource was put on.
type podName struct{ namespace, pod string }

func (t podName) String() string { return t.namespace + "/" + t.pod }

// targets are those of the records, in their order; with touched, only those that may have the fault: also one whose
// injection was begun and not finished.
func targets(resource Resource, touched bool) []podName {
	var found []podName
	for _, record := range resource.GetStatus().Experiment.Records {
		if touched && record.Phase == v1alpha1.NotInjected {
			continue
		}
		// namespace/pod, or namespace/pod/container.
		if parts := strings.Split(record.Id, "/"); len(parts) >= 2 {
			found = append(found, podName{parts[0], parts[1]})
		}
	}
	return found
}

// failures is what went wrong last with each record, in Chaos Mesh's words.
func failures(resource Resource) []string {
	var found []string
	for _, record := range resource.GetStatus().Experiment.Records {
		if len(record.Events) == 0 {
			continue
		}
		last := record.Events[len(record.Events)-1]
		if last.Type == v1alpha1.TypeFailed {
			found = append(found, strings.ToLower(string(last.Operation))+" on "+record.Id+": "+last.Message+hint(last.Message))
		}
	}
	return found
}

// hint says what a message of tc(8) means, which is that of a kernel without the module.
func hint(message string) string {
	if strings.Contains(message, "qdisc") || strings.Contains(message, "RTNETLINK") {
		return " (has the node's kernel the module sch_netem? `modprobe sch_netem` there tells)"
	}
	return ""
}
