package remedy

import (
	"context"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// NothingName is the name of the remedy that does nothing.
const NothingName = "none"

// Nothing does nothing, so that the proof alone runs: for what passes by itself.
type Nothing struct{}

// Name is none.
func (*Nothing) Name() string { return NothingName }

// Traits of doing nothing.
func (*Nothing) Traits() Traits { return Traits{Harmless: true} }

// Check refuses all parameters: there are none.
func (*Nothing) Check(params Params) (string, error) { return params.none() }

// Targets is the workload at the root.
func (*Nothing) Targets(seen Sight, _ Params) ([]incident.Target, string) { return seen.root() }

// Apply does nothing.
func (*Nothing) Apply(context.Context, Application) Effect {
	return Effect{Result: incident.ResultDone, Detail: "nothing was done: the edge alone says whether it has passed"}
}
