package remedy

import "github.com/faultline-lab/faultline/autoheal/edge"

// AcceptName is the name of the remedy that has orders taken for later.
const AcceptName = "accept"

// accept has the edge take orders into its own queue (202), for a fault behind it that only time ends. It makes almost any
// fault look cured, so its proof is mitigation and never recovery.
func accept(d door) *EdgeMode {
	return &EdgeMode{door: d, remedy: AcceptName, mode: edge.Accept, traits: Traits{Lasting: true, Mitigates: true}}
}
