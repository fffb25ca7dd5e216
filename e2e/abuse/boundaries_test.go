package abuse

import (
	"slices"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/runner"
	"github.com/faultline-lab/faultline/e2e/internal/ward"
)

// boundary is a moment at which the healer is killed: all that came before is on disk, and nothing of what comes next.
type boundary struct {
	name       string
	experiment string
	playbook   string
	// come says whether the moment is there. The healer stands still meanwhile.
	come func(*scene) bool
	// outcomes are those in which the incident may end.
	outcomes []incident.Outcome
	// holds says that the next healer must hold the change for as long as the fault lasts.
	holds bool
}

// scene is what a boundary is judged by.
type scene struct {
	ward.Seen
	t       *testing.T
	ward    *ward.Ward
	runner  *runner.Runner
	removed bool
}

// boundaries are all of them, in the order in which an incident meets them.
func boundaries() []boundary {
	healed := []incident.Outcome{incident.Recovered}
	perhapsHealed := []incident.Outcome{incident.Recovered, incident.SelfRecovered, incident.HandedOver}
	leak := func(name string, come func(*scene) bool) boundary {
		return boundary{name, "connection-leak", usual, come, healed, false}
	}
	return []boundary{
		leak("acknowledged: the alert is on disk, and in no incident", func(s *scene) bool { return len(s.Waiting) > 0 && len(s.Incidents) == 0 }),
		leak("received", in(incident.Received)),
		leak("diagnosed", in(incident.Diagnosed)),
		{"awaiting: a person was asked", "connection-leak", asking, in(incident.Awaiting), []incident.Outcome{incident.HandedOver}, false},
		leak("decided", in(incident.Decided)),
		leak("acting: the intent is on disk, and nothing was done", (*scene).intended),
		leak("acting: it was done, and its result is not on disk", (*scene).done),
		leak("verifying", in(incident.Verifying)),
		leak("stabilising", in(incident.Stabilising)),
		{"holding: a change stands for as long as the fault lasts", "slow-downstream", usual, in(incident.Holding), healed, true},
		{"reverting: a change is being taken back", "slow-downstream", usual, (*scene).reverting, perhapsHealed, false},
		leak("closed", in(incident.Closed)),
	}
}

// in is the moment at which the first incident is in a state.
func in(state incident.State) func(*scene) bool {
	return func(s *scene) bool { return len(s.Incidents) > 0 && s.Incidents[0].State == state }
}

// unfinished is the action under way, and the replica that it is meant for as it is now.
func (s *scene) unfinished() (action incident.Action, now control.Replica, ok bool) {
	if len(s.Incidents) == 0 {
		return action, now, false
	}
	actions := s.Incidents[0].Actions
	at := slices.IndexFunc(actions, func(a incident.Action) bool { return a.FinishedAt == nil })
	if at < 0 {
		return action, now, false
	}
	workload, err := s.ward.Control.Workload(s.t.Context(), "orders")
	if err != nil {
		s.t.Fatal(err)
	}
	now, ok = workload.Replica(actions[at].Target)
	return actions[at], now, ok
}

func (s *scene) intended() bool {
	action, now, ok := s.unfinished()
	return ok && strings.Contains(action.Precondition, now.StartID) && now.State == control.Ready
}

func (s *scene) done() bool {
	action, now, ok := s.unfinished()
	return ok && !strings.Contains(action.Precondition, now.StartID) && now.State == control.Ready
}

// reverting takes the fault away as soon as the healer holds its change, and waits for what it makes of that. A change that did
// not help is taken back earlier: that is the same boundary.
func (s *scene) reverting() bool {
	if !s.removed && in(incident.Holding)(s) {
		s.removed = true
		if err := s.runner.Restore(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
	return in(incident.Reverting)(s)
}
