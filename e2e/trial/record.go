package trial

import (
	"slices"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/e2e/record"
)

// takeOver copies what the healer's own record says into the trial's, and judges its actions against what the
// experiment lists as right and what the fault did touch.
func takeOver(r *record.Record, incidents []incident.Incident, expect experiment.Expect) {
	if len(incidents) == 0 {
		return
	}
	first := incidents[len(incidents)-1]
	r.IncidentID = first.ID
	r.CauseDiagnosed = string(first.Diagnosis.Cause)
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
			r.Actions = append(r.Actions, record.Action{
				Remedy: action.Remedy, Target: action.Target, StartedAt: action.StartedAt, Result: action.Result,
			})
			if action.Result != incident.ResultSkipped && !right(action, r.Affected, expect) {
				r.WrongAction = true
			}
		}
	}
}

func right(action incident.Action, affected []string, expect experiment.Expect) bool {
	return slices.Contains(expect.Right, action.Remedy) && slices.Contains(affected, action.Target)
}
