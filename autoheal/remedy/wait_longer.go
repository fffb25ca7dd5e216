package remedy

import (
	"context"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// WaitLongerName is the name of the remedy that waits.
const WaitLongerName = "wait-longer"

// WaitLonger waits for its whole timeout. It changes nothing, and all the time the fault goes on.
type WaitLonger struct{}

// Name is wait-longer.
func (*WaitLonger) Name() string { return WaitLongerName }

// Traits of waiting.
func (*WaitLonger) Traits() Traits { return Traits{Harmless: true} }

// Check refuses all parameters: how long it waits is the rung's timeout.
func (*WaitLonger) Check(params Params) (string, error) { return params.none() }

// Targets is the workload at the root.
func (*WaitLonger) Targets(seen Sight, _ Params) ([]incident.Target, string) { return seen.root() }

// Apply waits until the timeout after the intent, so that a healer that was started anew does not begin again.
func (*WaitLonger) Apply(ctx context.Context, a Application) Effect {
	if left := time.Until(a.IntendedAt.Add(a.Timeout)); left > 0 && !sleep(ctx, left) {
		return Effect{Result: incident.ResultFailed, Detail: "the wait was broken off"}
	}
	return Effect{Result: incident.ResultDone, Detail: fmt.Sprintf("waited for %s; nothing was changed", a.Timeout)}
}
