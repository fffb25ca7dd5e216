package remedy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// ShiftTrafficName is the name of the remedy that sends checkouts another way.
const ShiftTrafficName = "shift-traffic"

// standbySuffix makes the name of the standby of a workload, where the playbook names no other.
const standbySuffix = "-standby"

// ShiftTraffic sends all checkouts to the standby of the workload at the root, for as long as the fault lasts. A standby that
// has no replica is scaled up first: that is a target of its own, with its own record and its own way back.
type ShiftTraffic struct {
	door
	scaler Scaler
}

// Name is shift-traffic.
func (*ShiftTraffic) Name() string { return ShiftTrafficName }

// Traits of shifting.
func (*ShiftTraffic) Traits() Traits { return Traits{Lasting: true, Adds: true} }

// Check knows standby and replicas.
func (*ShiftTraffic) Check(params Params) (string, error) {
	return params.only(map[string]check{StandbyParam: named, ReplicasParam: count})
}

// Targets is the standby where it must be scaled up, and then the edge.
func (s *ShiftTraffic) Targets(seen Sight, params Params) ([]incident.Target, string) {
	root := seen.Diagnosis.Workload
	if root == "" {
		return nil, rootless
	}
	standby, there := seen.Workload(params.text(StandbyParam, root+standbySuffix))
	switch now := seen.Edge; {
	case !there:
		return nil, params.text(StandbyParam, root+standbySuffix) + " is not in the workload list"
	case now == nil:
		return nil, "the edge does not say how it spreads checkouts"
	case now.Weights == edge.Weights{}:
		return nil, "the replicas of the edge spread checkouts differently"
	case now.Weights != edge.Usual():
		return nil, fmt.Sprintf("the edge's weights are %s already, as %s asked", now.Weights, cmp.Or(now.WeightsBy, "nobody knows who"))
	}
	var targets []incident.Target
	if standby.Desired == 0 {
		main, _ := seen.Workload(root)
		to := params.number(ReplicasParam, max(1, main.Desired))
		if standby.Max > 0 {
			to = min(to, standby.Max)
		}
		targets = append(targets, scaleTarget(standby, to))
	}
	all := edge.Weights{Standby: 100}
	return append(targets, incident.Target{
		Kind: incident.EdgeTarget, Workload: s.name(), Name: s.name(), Is: seen.Edge.Weights.String(), To: all.String(),
		State: fmt.Sprintf("weights %s (stable:standby); %d and %d replicas", seen.Edge.Weights, seen.Edge.Backends.Stable, seen.Edge.Backends.Standby),
	}), ""
}

// Apply scales the standby up and waits until it is ready, or shifts.
func (s *ShiftTraffic) Apply(ctx context.Context, a Application) Effect {
	if a.Target.Kind == incident.WorkloadTarget {
		return scaling{s.scaler}.apply(ctx, a)
	}
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	err := await(ctx, func(ctx context.Context) error {
		now, err := s.edge.State(ctx)
		if err == nil && now.Backends.Standby == 0 {
			err = errors.New("it sees no replica of the standby")
		}
		return err
	})
	if err != nil {
		return failed("checkouts cannot be shifted to the standby: %s does not say that it is there: %v", a.Target.Name, err)
	}
	var until *time.Time
	refused := s.change(ctx, a, a.Target.Is, a.Target.To, &until)
	if refused != nil {
		return *refused
	}
	return done("%s spreads checkouts %s instead of %s (stable:standby)", a.Target.Name, a.Target.To, a.Target.Is).until(until)
}

// change sets the weights unless they are somebody else's.
func (s *ShiftTraffic) change(ctx context.Context, a Application, from, to string, until **time.Time) *Effect {
	return asking{
		Application: a,
		there: func(ctx context.Context) (bool, error) {
			now, err := s.edge.State(ctx)
			return err == nil && now.Weights.String() == to, err
		},
		request: func(ctx context.Context) error {
			if err := s.free(ctx, a); err != nil {
				return err
			}
			now, err := s.set(ctx, a, from, to)
			*until = now.WeightsUntil
			return err
		},
	}.result(ctx, fmt.Sprintf("the weights %s of %s", to, a.Target.Name))
}

// free says whether the weights are this incident's to set.
func (s *ShiftTraffic) free(ctx context.Context, a Application) error {
	now, err := s.edge.State(ctx)
	if err != nil {
		return err
	}
	switch weights := now.Weights; {
	case weights.String() == a.Target.Is, weights == edge.Weights{}, weights.String() == a.Target.To && now.WeightsBy == a.by():
		return nil
	}
	return fmt.Errorf("%s has the weights %s, as %s asked: %w", a.Target.Name, now.Weights, cmp.Or(now.WeightsBy, "nobody knows who"), workload.ErrConflict)
}

func (s *ShiftTraffic) set(ctx context.Context, a Application, from, to string) (edge.State, error) {
	is, err := weightsOf(from)
	if err != nil {
		return edge.State{}, err
	}
	want, err := weightsOf(to)
	if err != nil {
		return edge.State{}, err
	}
	return s.edge.SetWeights(ctx, edge.WeightsChange{Weights: want, If: is, By: a.by(), Key: a.Key, For: a.ttl()})
}

// Undo shifts back, or scales the standby back.
func (s *ShiftTraffic) Undo(ctx context.Context, a Application) Effect {
	if a.Target.Kind == incident.WorkloadTarget {
		return scaling{s.scaler}.undo(ctx, a)
	}
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	var until *time.Time
	if refused := s.change(ctx, a, a.Target.To, a.Target.Is, &until); refused != nil {
		return *refused
	}
	return done("%s spreads checkouts %s again", a.Target.Name, a.Target.Is)
}

// Renew begins the time to live anew.
func (s *ShiftTraffic) Renew(ctx context.Context, a Application) (time.Time, error) {
	if a.Target.Kind == incident.WorkloadTarget {
		return scaling{s.scaler}.renew(ctx, a)
	}
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	now, err := s.edge.State(ctx)
	switch {
	case err != nil:
		return time.Time{}, err
	case now.Weights.String() == a.Target.Is:
		return time.Time{}, fmt.Errorf("%s has the weights %s again: their time has run out, it was started anew, or somebody has taken them back: %w",
			a.Target.Name, a.Target.Is, workload.ErrConflict)
	}
	if err := s.free(ctx, a); err != nil {
		return time.Time{}, err
	}
	set, err := s.set(ctx, a, a.Target.Is, a.Target.To)
	if err != nil || set.WeightsUntil == nil {
		return time.Time{}, err
	}
	return *set.WeightsUntil, nil
}

// weightsOf reads weights in the form in which records name them.
func weightsOf(text string) (edge.Weights, error) {
	var w edge.Weights
	if _, err := fmt.Fscanf(strings.NewReader(text), "%d:%d", &w.Stable, &w.Standby); err != nil {
		return w, fmt.Errorf("%q are no weights: want stable:standby, such as 100:0", text)
	}
	return w, nil
}
