// Package mode keeps what the edge has been asked to do for a while: how it treats checkouts, and how it spreads them over
// the groups of orders. Whoever asked may be gone by the time that it should end, so the keeper ends it itself.
package mode

// Mode is how the edge treats checkouts.
type Mode string

// The modes.
const (
	Normal Mode = "normal"
	// DeferPayment places orders at once and lets orders take their payments from a queue of its own.
	DeferPayment Mode = "defer-payment"
	// Accept takes orders into a queue at the edge and completes them later.
	Accept Mode = "accept"
	// Shed refuses the checkouts beyond a number a second.
	Shed Mode = "shed"
)

// Modes lists all of them.
func Modes() []Mode { return []Mode{Normal, DeferPayment, Accept, Shed} }

// Setting is a mode and what belongs to it.
type Setting struct {
	Mode Mode
	// Admit is how many checkouts a second Shed lets through; 0 in every other mode.
	Admit int
}

// Weights are the shares, in percent, of the two groups of orders.
type Weights struct {
	Stable  int `json:"stable"`
	Standby int `json:"standby"`
}

// Usual are the weights that hold when nobody has asked for others.
func Usual() Weights { return Weights{Stable: 100} }
