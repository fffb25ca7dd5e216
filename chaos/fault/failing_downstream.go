package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/experiment"
)

const errorsPath = "/v1/errors"

// failingParameters are the fault's keys in the experiment file.
type failingParameters struct {
	Share float64 `yaml:"share"` // of the payments, from 0 to 1
}

func checkFailingDownstream(e experiment.Experiment) error {
	_, err := readFailingParameters(e)
	return err
}

func readFailingParameters(e experiment.Experiment) (failingParameters, error) {
	var p failingParameters
	if err := e.Fault.Parameters.Decode(&p); err != nil {
		return p, err
	}
	need := needs{e: e}
	need.that(p.Share > 0 && p.Share <= 1, "share", "which share of the payments fails, above 0 and at most 1")
	return p, need.err()
}

// failingDownstream asks payments to answer a share of its calls with 500. Payments ends that by itself after the fault's time
// to live.
type failingDownstream struct {
	replicas
	share float64
	ttl   time.Duration
}

func openFailingDownstream(e experiment.Experiment, env Environment) (Driver, error) {
	parameters, err := readFailingParameters(e)
	if err != nil {
		return nil, err
	}
	found, err := replicasThat(e, env)
	if err != nil {
		return nil, err
	}
	return &failingDownstream{found, parameters.Share, min(env.TTL, longestSetting)}, nil
}

// errorsSetting is payments' own document.
type errorsSetting struct {
	Share float64 `json:"share"`
	For   string  `json:"for,omitempty"`
}

// failingState is what was asked for.
type failingState struct {
	Share float64 `json:"share"`
}

// Prepare looks whether somebody has made payments fail already: two cannot be told apart.
func (f *failingDownstream) Prepare(ctx context.Context) (State, error) {
	failing, err := settings[errorsSetting](ctx, f.replicas, errorsPath)
	if err != nil {
		return nil, err
	}
	for id, setting := range failing {
		if setting.Share != 0 {
			return nil, fmt.Errorf("%s fails %.0f %% of the payments already, because somebody asked for it", id, 100*setting.Share)
		}
	}
	return json.Marshal(failingState{f.share})
}

// Inject makes every replica fail.
func (f *failingDownstream) Inject(ctx context.Context, prepared State) (Injection, error) {
	injection := Injection{State: prepared, Affected: []string{}}
	err := f.each(ctx, func(replica control.Replica) error {
		injection.Affected = append(injection.Affected, replica.ID)
		return f.ask(ctx, replica, http.MethodPut, errorsPath, errorsSetting{Share: f.share, For: f.ttl.String()}, nil)
	})
	injection.Detail = fmt.Sprintf("%.0f %% of the payments are answered with 500, for %s at most", 100*f.share, f.ttl)
	return injection, err
}

// StillPresent asks payments.
func (f *failingDownstream) StillPresent(ctx context.Context, encoded State) (Presence, error) {
	state, err := decode[failingState](encoded)
	if err != nil {
		return Presence{}, err
	}
	found, err := settings[errorsSetting](ctx, f.replicas, errorsPath)
	if err != nil {
		return Presence{}, err
	}
	presence := Presence{Subjects: []string{}, Detail: "payments answers as it usually does"}
	for id, setting := range found {
		if setting.Share == state.Share {
			presence.Present = true
			presence.Subjects = append(presence.Subjects, id)
			presence.Detail = fmt.Sprintf("%.0f %% of the payments are answered with 500", 100*setting.Share)
		}
	}
	return presence, nil
}

// Restore ends what was asked for; another share is somebody else's.
func (f *failingDownstream) Restore(ctx context.Context, encoded State) error {
	state, err := decode[failingState](encoded)
	if err != nil {
		return err
	}
	return f.each(ctx, func(replica control.Replica) error {
		var now errorsSetting
		err := f.ask(ctx, replica, http.MethodGet, errorsPath, nil, &now)
		if err != nil || now.Share != state.Share {
			return err
		}
		return f.ask(ctx, replica, http.MethodPut, errorsPath, errorsSetting{}, nil)
	})
}
