package edge

import (
	"context"
	"fmt"

	"github.com/faultline-lab/faultline/autoheal/workload"
)

// Mute is an edge of which nobody knows where it can be told anything.
type Mute struct{}

var errMute = fmt.Errorf("nobody knows where the edge's control port is: give --edge-control-url or --edge-control-port: %w", workload.ErrRefused)

// State is not known.
func (Mute) State(context.Context) (*State, error) { return nil, errMute }

// SetMode is refused.
func (Mute) SetMode(context.Context, ModeChange) (State, error) { return State{}, errMute }

// SetWeights is refused.
func (Mute) SetWeights(context.Context, WeightsChange) (State, error) { return State{}, errMute }
