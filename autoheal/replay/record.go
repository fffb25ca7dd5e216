package replay

import (
	"context"
	"slices"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// rounds are the gatherings of an incident, in order.
func rounds(in incident.Incident) []int {
	var found []int
	for _, f := range in.Evidence {
		found = append(found, f.Round)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func byRound(facts []incident.Fact) map[int]evidence.Facts {
	found := map[int]evidence.Facts{}
	for _, f := range facts {
		found[f.Round] = append(found[f.Round], f)
	}
	return found
}

// recorded is the last decision of a round; nil where there is none.
func recorded(in incident.Incident, round int) *incident.Decision {
	for i := len(in.Decisions) - 1; i >= 0; i-- {
		if in.Decisions[i].Round == round {
			return &in.Decisions[i]
		}
	}
	return nil
}

// asOf are the actions as they stood when a decision was made: what has come of them since was not known.
func asOf(actions []incident.Action, d incident.Decision) []incident.Action {
	var then []incident.Action
	for _, a := range actions[:min(d.Actions, len(actions))] {
		if a.FinishedAt != nil && a.FinishedAt.After(d.At) {
			a.FinishedAt, a.Result = nil, ""
		}
		if a.Undo != nil {
			undo := *a.Undo
			switch {
			case undo.StartedAt == nil || undo.StartedAt.After(d.At):
				undo.State, undo.Passed = incident.Standing, false
			case undo.FinishedAt == nil || undo.FinishedAt.After(d.At):
				undo.State = incident.Undoing
			}
			a.Undo = &undo
		}
		then = append(then, a)
	}
	return then
}

// onPaper is a remedy that chooses its targets and can do nothing.
type onPaper struct{ remedy.Description }

// Apply does nothing, and says so.
func (onPaper) Apply(context.Context, remedy.Application) remedy.Effect {
	return remedy.Effect{Result: incident.ResultFailed, Detail: "a replay acts on nothing"}
}
