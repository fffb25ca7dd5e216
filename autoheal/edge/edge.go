// Package edge is what the healer knows of storefront's control port (docs/contracts.md, "storefront's control port"): how
// the edge treats checkouts, and between which groups of replicas it spreads them.
package edge

import (
	"fmt"
	"time"
)

// The modes of the edge.
const (
	Normal       = "normal"
	DeferPayment = "defer-payment" // the order is placed, its payment follows from a queue
	Accept       = "accept"        // orders are taken for later: 202
	Shed         = "shed"          // what is too much is turned away: 503
)

// State is how the edge stands; with several replicas, what they agree on.
type State struct {
	// Mode is empty where the replicas disagree.
	Mode      string     `json:"mode"`
	ModeUntil *time.Time `json:"mode_until"`
	ModeBy    string     `json:"mode_by"`
	// Admit is how many checkouts a second shed lets through.
	Admit float64 `json:"admit"`

	Weights      Weights    `json:"weights"`
	WeightsUntil *time.Time `json:"weights_until"`
	WeightsBy    string     `json:"weights_by"`

	Queue    Queue    `json:"queue"`
	Backends Backends `json:"backends"`
}

// Weights are shares of the checkouts in percent.
type Weights struct {
	Stable  int `json:"stable"`
	Standby int `json:"standby"`
}

// String is the form in which targets and records name weights: stable:standby.
func (w Weights) String() string { return fmt.Sprintf("%d:%d", w.Stable, w.Standby) }

// Queue is what waits at the edge.
type Queue struct {
	Waiting int     `json:"waiting"`
	Oldest  float64 `json:"oldest_s"` // seconds
}

// Backends counts the ready replicas of each group.
type Backends struct {
	Stable  int `json:"stable"`
	Standby int `json:"standby"`
}
