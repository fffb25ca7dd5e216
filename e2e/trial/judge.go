package trial

import (
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/e2e/record"
)

// edgeWorkload is whose modes and weights remedies change; there is one edge, and every fault is behind it.
const edgeWorkload = "storefront"

// judge says which of the actions were wrong: not listed as right by the experiment, or done to whom the fault had not
// touched.
func judge(actions []record.Action, affected []string, e experiment.Experiment) []record.Action {
	var wrong []record.Action
	for _, action := range actions {
		if !action.Done() {
			continue
		}
		if !slices.Contains(e.Expect.Right, action.Remedy) || !touched(action, affected, e.Scope.Workload) {
			wrong = append(wrong, action)
		}
	}
	return wrong
}

// touched says whether the target of an action is among what the fault did touch. Sessions go by their application name,
// which for those of the workloads' own pools is workload/replica.
func touched(action record.Action, affected []string, scope string) bool {
	switch incident.TargetKind(action.Kind) {
	case incident.EdgeTarget:
		return action.Target == edgeWorkload
	case incident.WorkloadTarget:
		return action.Target == scope
	case incident.SessionsTarget:
		_, replica, pooled := strings.Cut(action.Target, "/")
		return slices.Contains(affected, action.Target) || pooled && slices.Contains(affected, replica)
	default:
		return slices.Contains(affected, action.Target)
	}
}
