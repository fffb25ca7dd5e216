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

// longestSetting is how long a program of the shop keeps a setting that somebody asked for (docs/contracts.md).
const longestSetting = 15 * time.Minute

const latencyPath = "/v1/latency"

// downstreamParameters are the fault's keys in the experiment file.
type downstreamParameters struct {
	Extra experiment.Duration `yaml:"extra"` // on top of each payment's usual time
}

func checkSlowDownstream(e experiment.Experiment) error {
	_, err := readDownstreamParameters(e)
	return err
}

func readDownstreamParameters(e experiment.Experiment) (downstreamParameters, error) {
	var p downstreamParameters
	if err := e.Fault.Parameters.Decode(&p); err != nil {
		return p, err
	}
	need := needs{e: e}
	need.that(p.Extra.Duration >= time.Millisecond, "extra", "how much longer each payment takes, for example 300ms")
	return p, need.err()
}

// slowDownstream asks payments to take longer. Payments ends that by itself after the fault's time to live.
type slowDownstream struct {
	replicas
	extra time.Duration
	ttl   time.Duration
}

func openSlowDownstream(e experiment.Experiment, env Environment) (Driver, error) {
	parameters, err := readDownstreamParameters(e)
	if err != nil {
		return nil, err
	}
	found, err := replicasThat(e, env)
	if err != nil {
		return nil, err
	}
	return &slowDownstream{found, parameters.Extra.Duration, min(env.TTL, longestSetting)}, nil
}

// latencySetting is payments' own document.
type latencySetting struct {
	ExtraMillis int64  `json:"extra_ms"`
	For         string `json:"for,omitempty"`
}

// downstreamState is what was asked for.
type downstreamState struct {
	ExtraMillis int64 `json:"extra_ms"`
}

// Prepare looks whether somebody has slowed payments down already: two cannot be told apart.
func (s *slowDownstream) Prepare(ctx context.Context) (State, error) {
	slow, err := s.settings(ctx)
	if err != nil {
		return nil, err
	}
	for id, setting := range slow {
		if setting.ExtraMillis != 0 {
			return nil, fmt.Errorf("%s is %d ms slower already, because somebody asked for it", id, setting.ExtraMillis)
		}
	}
	return json.Marshal(downstreamState{s.extra.Milliseconds()})
}

func (s *slowDownstream) settings(ctx context.Context) (map[string]latencySetting, error) {
	return settings[latencySetting](ctx, s.replicas, latencyPath)
}

// Inject slows every replica down.
func (s *slowDownstream) Inject(ctx context.Context, prepared State) (Injection, error) {
	injection := Injection{State: prepared, Affected: []string{}}
	body := latencySetting{ExtraMillis: s.extra.Milliseconds(), For: s.ttl.String()}
	err := s.each(ctx, func(replica control.Replica) error {
		injection.Affected = append(injection.Affected, replica.ID)
		return s.ask(ctx, replica, http.MethodPut, latencyPath, body, nil)
	})
	injection.Detail = fmt.Sprintf("every payment takes %s longer, for %s at most", s.extra, s.ttl)
	return injection, err
}

// StillPresent asks payments.
func (s *slowDownstream) StillPresent(ctx context.Context, encoded State) (Presence, error) {
	state, err := decode[downstreamState](encoded)
	if err != nil {
		return Presence{}, err
	}
	found, err := s.settings(ctx)
	if err != nil {
		return Presence{}, err
	}
	presence := Presence{Subjects: []string{}, Detail: "payments takes its usual time"}
	for id, setting := range found {
		if setting.ExtraMillis == state.ExtraMillis {
			presence.Present = true
			presence.Subjects = append(presence.Subjects, id)
			presence.Detail = fmt.Sprintf("every payment takes %d ms longer", setting.ExtraMillis)
		}
	}
	return presence, nil
}

// Restore ends what was asked for; a latency of another size is somebody else's.
func (s *slowDownstream) Restore(ctx context.Context, encoded State) error {
	state, err := decode[downstreamState](encoded)
	if err != nil {
		return err
	}
	return s.each(ctx, func(replica control.Replica) error {
		var now latencySetting
		err := s.ask(ctx, replica, http.MethodGet, latencyPath, nil, &now)
		if err != nil || now.ExtraMillis != state.ExtraMillis {
			return err
		}
		return s.ask(ctx, replica, http.MethodPut, latencyPath, latencySetting{}, nil)
	})
}
