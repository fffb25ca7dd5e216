package mesh

import (
	"encoding/json"
	"fmt"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/faultline-lab/faultline/chaos/fault"
)

// state is what outlives the process.
type state struct {
	Kind string    `json:"kind"`
	Name string    `json:"name"`
	UID  types.UID `json:"uid,omitempty"` // "" until the resource is made
	// Pods are those that could be selected, as they were before.
	Pods map[string]podState `json:"pods"`
	// Targets are the pods that Chaos Mesh chose among them.
	Targets []string `json:"targets,omitempty"`
}

// podState is enough to tell whether a pod is another one by now, or its container was started again.
type podState struct {
	UID      types.UID `json:"uid"`
	Restarts int32     `json:"restarts"`
}

func decode(encoded fault.State) (state, error) {
	var s state
	if err := json.Unmarshal(encoded, &s); err != nil {
		return s, fmt.Errorf("the stored state of the fault cannot be read: %w", err)
	}
	return s, nil
}

// empty is a resource of a kind; nil when there is no such kind.
func empty(kind string) Resource {
	switch kind {
	case v1alpha1.KindNetworkChaos:
		return &v1alpha1.NetworkChaos{}
	case v1alpha1.KindPodChaos:
		return &v1alpha1.PodChaos{}
	}
	return nil
}
