package api

import (
	"net/http"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/problem"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// Status is the answer of GET /api/v1/status.
type Status struct {
	// Paused says who told the healer to act on nothing; null where nobody did.
	Paused     *store.Pause   `json:"paused"`
	KillSwitch string         `json:"kill_switch"` // on, off, unknown
	Open       int            `json:"open"`        // incidents that still need the healer
	Awaiting   int            `json:"awaiting"`    // of those, how many wait for a person's answer
	Autonomy   guard.Autonomy `json:"autonomy"`
}

func (a *api) status(w http.ResponseWriter, r *http.Request) {
	paused, err := a.cfg.People.Paused(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	incidents, err := a.cfg.Records.Open(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	s := Status{Paused: paused, KillSwitch: "unknown", Open: len(incidents), Autonomy: a.cfg.Autonomy}
	switch a.cfg.Switch() {
	case guard.SwitchOn:
		s.KillSwitch = "on"
	case guard.SwitchOff:
		s.KillSwitch = "off"
	}
	for _, in := range incidents {
		if in.State == incident.Awaiting {
			s.Awaiting++
		}
	}
	problem.JSON(w, http.StatusOK, s)
}
