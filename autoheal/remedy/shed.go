package remedy

import (
	"errors"

	"github.com/faultline-lab/faultline/autoheal/edge"
)

// ShedName is the name of the remedy that turns away what is too much.
const ShedName = "shed"

// shed has the edge let only so many checkouts a second through, so that those are served, and answer the others at once that
// they should come again.
func shed(d door) *EdgeMode {
	return &EdgeMode{
		door: d, remedy: ShedName, mode: edge.Shed, traits: Traits{Lasting: true, Mitigates: true},
		check: func(params Params) (string, error) {
			if params[AdmitParam] == "" {
				return AdmitParam, errors.New("admit is missing: say how many checkouts a second shall pass, as many as can be served")
			}
			return params.only(map[string]check{AdmitParam: rate})
		},
	}
}
