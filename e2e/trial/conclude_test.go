package trial

import (
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/e2e/record"
)

func TestAFaultThatNobodyHasAnsweredIsWatchedToTheEnd(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	leak := experiment.Expect{Cause: "bad-release"}
	well := record.Client{FirstBad: &noon, Mitigated: &noon, Recovered: &noon}
	for name, tc := range map[string]struct {
		expect             experiment.Expect
		client             record.Client
		state              incident.State
		resolved, answered bool
		want               bool
	}{
		"somebody acted, and all is well":               {leak, well, incident.Closed, true, true, true},
		"all is well by itself: more may be to come":    {leak, well, incident.Closed, true, false, false},
		"the alert still fires":                         {leak, well, incident.Closed, false, true, false},
		"the incident is still open":                    {leak, well, incident.Verifying, true, true, false},
		"the client is not well":                        {leak, record.Client{FirstBad: &noon}, incident.Closed, true, true, false},
		"a change is held until the fault passes":       {leak, record.Client{Mitigated: &noon}, incident.Holding, false, true, true},
		"a control has its whole window":                {experiment.Expect{}, well, incident.Closed, true, true, false},
		"an unknown fault is over when a person has it": {experiment.Expect{Unknown: true}, record.Client{}, incident.Escalated, false, false, true},
		"an unknown fault that nobody has handed over":  {experiment.Expect{Unknown: true}, record.Client{}, incident.Received, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			incidents := []incident.Incident{{State: tc.state}}
			if got := finished(tc.expect, tc.client, incidents, tc.resolved, tc.answered); got != tc.want {
				t.Errorf("finished: %v, want %v", got, tc.want)
			}
		})
	}
}

func TestAnActionOfTheHealerIsAnAnswer(t *testing.T) {
	none := &trial{}
	if none.answered([]incident.Incident{{}}) {
		t.Error("an incident without an action is an answer")
	}
	if !none.answered([]incident.Incident{{}, {Actions: []incident.Action{{}}}}) {
		t.Error("an action is no answer")
	}
}
