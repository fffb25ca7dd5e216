package trial

import (
	"slices"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/e2e/record"
)

// takeOver copies what the healer's own record says into the trial's.
func takeOver(r *record.Record, incidents []incident.Incident) {
	if len(incidents) == 0 {
		return
	}
	first := incidents[len(incidents)-1]
	r.IncidentID = first.ID
	r.CauseDiagnosed = string(first.Diagnosis.Cause)
	r.Outcome = string(first.Outcome)
	r.Stages.WebhookReceived = first.Stages.WebhookReceived
	r.Stages.Diagnosed = first.Stages.Diagnosed
	r.Stages.Decided = first.Stages.Decided
	r.Stages.ActionStarted = first.Stages.ActionStarted
	r.Stages.ActionFinished = first.Stages.ActionFinished
	r.Stages.Verified = first.Stages.Verified
	if len(incidents) > 1 {
		r.Notes = append(r.Notes, "the healer opened more than one incident; the first one's stages are shown")
	}
	for _, in := range slices.Backward(incidents) {
		for _, action := range in.Actions {
			r.Actions = append(r.Actions, taken(action))
		}
	}
}

// causeExpected is what the healer should make of an experiment: of an unknown fault, that no cause explains it.
func causeExpected(expect experiment.Expect) string {
	if expect.Unknown {
		return string(incident.Inconclusive)
	}
	return expect.Cause
}

// taken is an action of the healer's as the record has it.
func taken(action incident.Action) record.Action {
	done := record.Action{
		Remedy: action.Remedy, Kind: string(action.Kind), Target: action.Target, StartedAt: action.StartedAt, Result: action.Result,
	}
	if action.Undo != nil {
		done.Change = string(action.Undo.State)
	}
	return done
}
