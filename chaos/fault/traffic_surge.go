package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/experiment"
)

const ratePath = "/v1/rate"

// surgeParameters are the fault's keys in the experiment file.
type surgeParameters struct {
	Factor float64 `yaml:"factor"` // times the usual rate
}

func checkSurge(e experiment.Experiment) error {
	_, err := readSurgeParameters(e)
	return err
}

func readSurgeParameters(e experiment.Experiment) (surgeParameters, error) {
	var p surgeParameters
	if err := e.Fault.Parameters.Decode(&p); err != nil {
		return p, err
	}
	need := needs{e: e}
	need.that(p.Factor > 1, "factor", "how many times the usual rate comes, for example 2.5")
	return p, need.err()
}

// surge sends more customers. The load generator returns to its usual rate by itself after the fault's time to live.
type surge struct {
	loadgen  string
	workload string
	factor   float64
	ttl      time.Duration
	client   *http.Client
}

func openSurge(e experiment.Experiment, env Environment) (Driver, error) {
	parameters, err := readSurgeParameters(e)
	if err != nil {
		return nil, err
	}
	if env.Stack.Endpoints.Loadgen == "" {
		return nil, errors.New("the stack names no load generator: there is nobody who could send more customers")
	}
	return &surge{
		loadgen: env.Stack.Endpoints.Loadgen, workload: e.Scope.Workload, factor: parameters.Factor, ttl: min(env.TTL, longestSetting),
		client: &http.Client{Timeout: callBound, Transport: env.Transport.Around(http.DefaultTransport)},
	}, nil
}

// rateSetting is the load generator's own document.
type rateSetting struct {
	Rate  int        `json:"checkouts_per_second"`
	For   string     `json:"for,omitempty"`
	Usual int        `json:"usual_checkouts_per_second,omitempty"`
	Until *time.Time `json:"until,omitempty"`
}

// surgeState is the rate that was, and the one that was asked for.
type surgeState struct {
	Usual int `json:"usual"`
	Rate  int `json:"rate"`
}

func (s *surge) rate(ctx context.Context) (rateSetting, error) {
	var now rateSetting
	err := s.call(ctx, http.MethodGet, nil, &now)
	return now, err
}

func (s *surge) call(ctx context.Context, method string, body, into any) error {
	if err := control.Call(ctx, s.client, nil, method, s.loadgen+ratePath, body, into); err != nil {
		return fmt.Errorf("the load generator: %w", err)
	}
	return nil
}

// Prepare notes the usual rate.
func (s *surge) Prepare(ctx context.Context) (State, error) {
	now, err := s.rate(ctx)
	if err != nil {
		return nil, err
	}
	if now.Until != nil {
		return nil, fmt.Errorf("there are %d checkouts/s until %s, because somebody asked for it", now.Rate, now.Until.Format(time.TimeOnly))
	}
	rate := int(math.Round(s.factor * float64(now.Rate)))
	if rate <= now.Rate {
		return nil, fmt.Errorf("%v times %d checkouts/s is no surge: raise factor, or the load", s.factor, now.Rate)
	}
	return json.Marshal(surgeState{Usual: now.Rate, Rate: rate})
}

// Inject raises the rate, from the next whole second on.
func (s *surge) Inject(ctx context.Context, prepared State) (Injection, error) {
	injection := Injection{State: prepared, Affected: []string{s.workload}}
	state, err := decode[surgeState](prepared)
	if err != nil {
		return injection, err
	}
	injection.Detail = fmt.Sprintf("%d checkouts/s come instead of %d, for %s at most", state.Rate, state.Usual, s.ttl)
	return injection, s.call(ctx, http.MethodPut, rateSetting{Rate: state.Rate, For: s.ttl.String()}, nil)
}

// StillPresent asks the load generator.
func (s *surge) StillPresent(ctx context.Context, encoded State) (Presence, error) {
	state, err := decode[surgeState](encoded)
	if err != nil {
		return Presence{}, err
	}
	now, err := s.rate(ctx)
	if err != nil {
		return Presence{}, err
	}
	if now.Until == nil || now.Rate != state.Rate {
		return Presence{Subjects: []string{}, Detail: fmt.Sprintf("%d checkouts/s come", now.Rate)}, nil
	}
	return Presence{
		Present: true, Subjects: []string{s.workload},
		Detail: fmt.Sprintf("%d checkouts/s come instead of %d, until %s", now.Rate, now.Usual, now.Until.Format(time.TimeOnly)),
	}, nil
}

// Restore returns to the usual rate, unless it is there already or somebody has set another.
func (s *surge) Restore(ctx context.Context, encoded State) error {
	presence, err := s.StillPresent(ctx, encoded)
	if err != nil || !presence.Present {
		return err
	}
	now, err := s.rate(ctx)
	if err != nil {
		return err
	}
	return s.call(ctx, http.MethodPut, rateSetting{Rate: now.Usual}, nil)
}
