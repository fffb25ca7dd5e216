package mesh

import (
	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"

	"github.com/faultline-lab/faultline/chaos/experiment"
)

// container is the name of the container that runs our program, in every pod of ours.
const container = "main"

// processKill kills the container of one pod, which Chaos Mesh chooses. It comes back in its pod with one restart more, as a
// process does that was sent SIGKILL. The action pod-kill would be another fault: a pod of another name, with no restart counted.
func processKill(e experiment.Experiment) (Resource, error) {
	var none struct{}
	if err := e.Fault.Parameters.Decode(&none); err != nil {
		return nil, err
	}
	return &v1alpha1.PodChaos{
		TypeMeta: typeMeta(v1alpha1.KindPodChaos),
		Spec: v1alpha1.PodChaosSpec{
			Action: v1alpha1.ContainerKillAction,
			ContainerSelector: v1alpha1.ContainerSelector{
				ContainerNames: []string{container},
				PodSelector: v1alpha1.PodSelector{
					Mode: v1alpha1.OneMode,
					Selector: v1alpha1.PodSelectorSpec{
						GenericSelectorSpec: v1alpha1.GenericSelectorSpec{
							LabelSelectors: map[string]string{nameLabel: e.Scope.Workload, partOfLabel: "faultline"},
						},
						PodPhaseSelectors: []string{string(corev1.PodRunning)},
					},
				},
			},
		},
	}, nil
}
