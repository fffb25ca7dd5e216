package mesh

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/chaos-mesh/chaos-mesh/api/v1alpha1"

	"github.com/faultline-lab/faultline/chaos/fault"
)

// StillPresent says whether the fault is there. A network fault sits on the database: its subjects are the replicas that
// speak to it, whichever they are by now. When the database itself has become another pod, it has moved out of the fault's
// reach, and the answer says so. A kill is there as long as a killed container has not come back.
func (d *Driver) StillPresent(ctx context.Context, encoded fault.State) (fault.Presence, error) {
	resource, state, err := d.stored(encoded)
	if err != nil {
		return fault.Presence{}, err
	}
	if state.Kind == v1alpha1.KindPodChaos {
		return d.killed(ctx, state)
	}
	absent := fault.Presence{Subjects: []string{}}
	switch err := d.client.get(ctx, resource); {
	case gone(err):
		absent.Detail = describe(resource) + " is gone, and the fault with it"
		return absent, nil
	case err != nil:
		return absent, err
	}
	stage, carriers := stageOf(resource), targets(resource, true)
	if len(carriers) == 0 {
		absent.Detail = fmt.Sprintf("%s: %s", describe(resource), stage)
		return absent, nil
	}
	same, err := d.unchanged(ctx, resource, state, carriers)
	if err != nil {
		return absent, err
	}
	if len(same) == 0 {
		absent.Detail = fmt.Sprintf("%s was on %v, which is another pod by now: it has moved out of the fault's reach", describe(resource), carriers)
		return absent, nil
	}
	subjects, err := d.client.replicas(ctx, d.workload)
	return fault.Presence{
		Present: true, Subjects: subjects,
		Detail: fmt.Sprintf("%s on %s: %s", describe(resource), strings.Join(same, ", "), stage),
	}, err
}

// unchanged names the carriers that are still the pods which got the fault.
func (d *Driver) unchanged(ctx context.Context, resource Resource, state state, carriers []podName) ([]string, error) {
	pods, err := d.client.selected(ctx, resource)
	if err != nil {
		return nil, err
	}
	var same []string
	for _, pod := range pods {
		if slices.Contains(carriers, podName{pod.Namespace, pod.Name}) && state.Pods[pod.Name].UID == pod.UID {
			same = append(same, pod.Name)
		}
	}
	return same, nil
}

func (d *Driver) killed(ctx context.Context, state state) (fault.Presence, error) {
	presence := fault.Presence{Subjects: []string{}, Detail: "every container that was killed has come back"}
	pods, err := d.client.pods(ctx, map[string]string{nameLabel: d.workload, partOfLabel: "faultline"})
	if err != nil {
		return presence, err
	}
	for _, pod := range pods {
		if slices.Contains(state.Targets, pod.Name) && pod.UID == state.Pods[pod.Name].UID && !ready(pod) {
			presence.Subjects = append(presence.Subjects, pod.Name)
		}
	}
	if presence.Present = len(presence.Subjects) > 0; presence.Present {
		presence.Detail = fmt.Sprintf("killed and not ready again: %s", strings.Join(presence.Subjects, ", "))
	}
	return presence, nil
}
