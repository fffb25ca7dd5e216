package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/target"
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
	workload string
	extra    time.Duration
	ttl      time.Duration
	control  target.Control
}

func openSlowDownstream(e experiment.Experiment, env Environment) (Driver, error) {
	parameters, err := readDownstreamParameters(e)
	if err != nil {
		return nil, err
	}
	replicas, err := target.OpenThrough(env.Stack, env.Transport)
	if err != nil {
		return nil, err
	}
	return &slowDownstream{e.Scope.Workload, parameters.Extra.Duration, min(env.TTL, longestSetting), replicas}, nil
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

// settings reads every replica that serves.
func (s *slowDownstream) settings(ctx context.Context) (map[string]latencySetting, error) {
	found := map[string]latencySetting{}
	err := s.each(ctx, func(replica control.Replica) error {
		var setting latencySetting
		err := s.control.Ask(ctx, s.workload, replica, http.MethodGet, latencyPath, nil, &setting)
		found[replica.ID] = setting
		return err
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("no replica of %s is ready", s.workload)
	}
	return found, err
}

func (s *slowDownstream) each(ctx context.Context, do func(control.Replica) error) error {
	workload, err := s.control.Workload(ctx, s.workload)
	if err != nil {
		return err
	}
	var problems []error
	for _, replica := range workload.Replicas {
		if replica.State != control.Ready {
			continue // what it was asked for ends with its process
		}
		if err := do(replica); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", replica.ID, err))
		}
	}
	return errors.Join(problems...)
}

// Inject slows every replica down.
func (s *slowDownstream) Inject(ctx context.Context, prepared State) (Injection, error) {
	injection := Injection{State: prepared, Affected: []string{}}
	body := latencySetting{ExtraMillis: s.extra.Milliseconds(), For: s.ttl.String()}
	err := s.each(ctx, func(replica control.Replica) error {
		injection.Affected = append(injection.Affected, replica.ID)
		return s.control.Ask(ctx, s.workload, replica, http.MethodPut, latencyPath, body, nil)
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
		err := s.control.Ask(ctx, s.workload, replica, http.MethodGet, latencyPath, nil, &now)
		if err != nil || now.ExtraMillis != state.ExtraMillis {
			return err
		}
		return s.control.Ask(ctx, s.workload, replica, http.MethodPut, latencyPath, latencySetting{}, nil)
	})
}
