package remedy

import (
	"errors"
	"net/http"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// Controls are what the remedies act with; all are required.
type Controls struct {
	Replicas Replicas
	Scaler   Scaler
	Releases Releases
	Edge     Edge
	// EdgeWorkload is the edge's own workload; storefront by default.
	EdgeWorkload string
	Sessions     Sessions
	// HTTP asks the replicas for their health.
	HTTP *http.Client
}

func (c Controls) check() error {
	for _, one := range []struct {
		missing bool
		what    string
	}{
		{c.Replicas == nil, "restart replicas"},
		{c.Scaler == nil, "scale"},
		{c.Releases == nil, "roll back"},
		{c.Edge == nil, "tell the edge"},
		{c.Sessions == nil, "end sessions of the database"},
		{c.HTTP == nil, "ask replicas for their health"},
	} {
		if one.missing {
			return errors.New("remedies: nobody was given who can " + one.what)
		}
	}
	return nil
}

// All makes every remedy. It is the table of contents: one file and one page in docs/remedies each.
func All(c Controls) ([]Remedy, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	door := door{c.Edge, c.EdgeWorkload}
	return []Remedy{
		// which change nothing
		&Nothing{},
		&WaitLonger{},
		&HealthCheck{c.Replicas, c.HTTP},
		// to replicas
		&RestartReplicas{c.Replicas},
		&ScaleOut{c.Scaler},
		&RollBack{c.Releases},
		// to the way through the edge
		&ShiftTraffic{door, c.Scaler},
		deferPayment(door),
		accept(door),
		shed(door),
		// to sessions of the database
		&EndSessions{c.Sessions},
		&CancelQueries{c.Sessions},
		&EndBackends{c.Sessions},
	}, nil
}

// Description is what can be known of a remedy without a world to act on: what playbooks are checked against, and what guards
// and simulations work with.
type Description interface {
	Name() string
	Traits() Traits
	Check(params Params) (field string, err error)
	Targets(seen Sight, params Params) (targets []incident.Target, why string)
}

// Known describes every remedy.
func Known() []Description {
	return []Description{
		&Nothing{}, &WaitLonger{}, &HealthCheck{}, &RestartReplicas{}, &ScaleOut{}, &RollBack{}, &ShiftTraffic{},
		deferPayment(door{}), accept(door{}), shed(door{}), &EndSessions{}, &CancelQueries{}, &EndBackends{},
	}
}
