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
		"it was healed before anybody was hurt":         {leak, record.Client{}, incident.Closed, true, true, true},
		"nobody is hurt yet, and the alert still fires": {leak, record.Client{}, incident.Closed, false, true, false},
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

func TestAFaultThatWasHealedInTimeIsNoneWithoutEffect(t *testing.T) {
	done := []record.Action{{Remedy: "end-session", Result: "done"}}
	for name, tc := range map[string]struct {
		record record.Record
		want   bool
	}{
		"something right was done and the fault is gone": {record.Record{Actions: done, FaultStillPresent: new(false)}, true},
		"nothing was done":         {record.Record{FaultStillPresent: new(false)}, false},
		"the fault is still there": {record.Record{Actions: done, FaultStillPresent: new(true)}, false},
		"nobody can tell":          {record.Record{Actions: done}, false},
		"something wrong was done": {record.Record{Actions: done, FaultStillPresent: new(false), WrongAction: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := tc.record
			r.CauseExpected, r.Recovered = "server-cap", new(false)
			prevent(&r)
			if r.Prevented != tc.want || *r.Recovered != tc.want {
				t.Errorf("prevented %v, recovered %v; want %v", r.Prevented, *r.Recovered, tc.want)
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
