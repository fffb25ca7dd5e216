package engine

import (
	"context"
	"strconv"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// happened says whether the effect of an intent that an earlier life of the healer left behind has begun. It is not known
// where the live state cannot be read.
func (w *work) happened(ctx context.Context, target incident.Target) (happened, known bool) {
	seen := w.examine(ctx)
	if ctx.Err() != nil {
		return false, false
	}
	return begun(seen, target)
}

// begun says whether the effect on a target has begun by what was seen.
func begun(seen *look, target incident.Target) (begun, known bool) {
	switch target.Kind {
	case incident.ReplicaTarget: // another start already, on its way there, or gone
		if len(seen.Workloads) == 0 {
			return false, false
		}
		_, live, there := seen.Replica(target.Name)
		return !there || live.StartID != target.Is || live.State == workload.Stopping, true
	case incident.SessionsTarget:
		return false, true // each session is named with its start: asking again hits the same ones or none
	}
	return stands(seen.sight(), target)
}

// stands says whether the world is what a change has made of it.
func stands(seen remedy.Sight, target incident.Target) (stands, known bool) {
	switch target.Kind {
	case incident.WorkloadTarget:
		live, there := seen.Workload(target.Name)
		return there && (live.Version == target.To || strconv.Itoa(live.Desired) == target.To), there
	case incident.EdgeTarget:
		return seen.Edge != nil && (seen.Edge.Mode == target.To || seen.Edge.Weights.String() == target.To), seen.Edge != nil
	}
	return false, false
}
