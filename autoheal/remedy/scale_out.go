package remedy

import (
	"context"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// ScaleOutName is the name of the remedy that adds replicas.
const ScaleOutName = "scale-out"

// ScaleOut gives the workload at the root more replicas for as long as the fault lasts.
type ScaleOut struct{ scaler Scaler }

// Name is scale-out.
func (*ScaleOut) Name() string { return ScaleOutName }

// Traits of scaling out.
func (*ScaleOut) Traits() Traits { return Traits{Lasting: true, Adds: true} }

// Check knows by and at_most.
func (*ScaleOut) Check(params Params) (string, error) {
	return params.only(map[string]check{ByParam: count, AtMostParam: count})
}

// Targets is the workload at the root, with the parameter by more replicas, as far as its owners and the playbook allow.
func (*ScaleOut) Targets(seen Sight, params Params) ([]incident.Target, string) {
	name := seen.Diagnosis.Workload
	if name == "" {
		return nil, rootless
	}
	w, there := seen.Workload(name)
	if !there {
		return nil, name + " is not in the workload list"
	}
	to, bound := w.Desired+params.number(ByParam, 1), "the playbook"
	if most := params.number(AtMostParam, to); to > most {
		to = most
	}
	if w.Max > 0 && to > w.Max {
		to, bound = w.Max, "its owners"
	}
	if to <= w.Desired {
		return nil, fmt.Sprintf("%s has %d replicas, and %s allow no more", name, w.Desired, bound)
	}
	return []incident.Target{scaleTarget(w, to)}, ""
}

// Apply scales and waits until all replicas are ready.
func (s *ScaleOut) Apply(ctx context.Context, a Application) Effect {
	return scaling{s.scaler}.apply(ctx, a)
}

// Undo scales back.
func (s *ScaleOut) Undo(ctx context.Context, a Application) Effect {
	return scaling{s.scaler}.undo(ctx, a)
}

// Renew keeps the replicas. Where nobody but the healer takes them back, the time is zero.
func (s *ScaleOut) Renew(ctx context.Context, a Application) (time.Time, error) {
	return scaling{s.scaler}.renew(ctx, a)
}
