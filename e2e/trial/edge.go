package trial

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/chaos/control"
)

// drainBound is how long the orders that an earlier trial had taken for later may take to be placed: 15 a second of some
// thousands.
const drainBound = 4 * time.Minute

// waitForEdge waits until the edge treats checkouts as usual and has none left for later: those would be load that no customer
// of this trial has asked for. On a target that shows no control port the steady state must do.
func (t *trial) waitForEdge(ctx context.Context) error {
	if t.stack.Endpoints.EdgeControl == "" {
		return nil
	}
	client := &http.Client{Timeout: 2 * time.Second}
	for deadline := time.Now().Add(drainBound); ; {
		var state edge.State
		err := control.Call(ctx, client, nil, http.MethodGet, t.stack.Endpoints.EdgeControl+"/v1/state", nil, &state)
		if err == nil && usual(state) {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(err, fmt.Errorf("after %s the edge is in mode %q with weights %s, and %d orders wait: a trial would prove nothing",
				drainBound, state.Mode, state.Weights, state.Queue.Waiting))
		}
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return err
		}
	}
}

// usual says whether nothing is asked of the edge.
func usual(state edge.State) bool {
	return state.Mode == edge.Normal && state.Weights.Stable == 100 && state.Queue.Waiting == 0
}
