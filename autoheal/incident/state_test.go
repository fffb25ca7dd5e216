package incident_test

import (
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestAHealThatGoesWellPassesAllStages(t *testing.T) {
	in := incident.Incident{ID: "i", State: incident.Received}
	for i, to := range []incident.State{
		incident.Diagnosed, incident.Decided, incident.Acting, incident.Verifying, incident.Stabilising, incident.Closed,
	} {
		if !in.State.Open() {
			t.Fatalf("%s is not open", in.State)
		}
		if err := in.Move(to, "why", t0.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	s := in.Stages
	for i, at := range []*time.Time{s.Diagnosed, s.Decided, s.ActionStarted, s.ActionFinished, s.Verified, s.Ended} {
		if at == nil || !at.Equal(t0.Add(time.Duration(i)*time.Second)) {
			t.Errorf("stage %d has the time %v", i, at)
		}
	}
	if in.State.Open() || in.Reason != "why" {
		t.Errorf("state %s, reason %q", in.State, in.Reason)
	}
}

func TestDiagnosedIsTheDiagnosisOnWhichTheFirstDecisionStands(t *testing.T) {
	in := incident.Incident{State: incident.Received}
	for i, to := range []incident.State{
		incident.Diagnosed, incident.Received, incident.Diagnosed, incident.Decided, // looked twice before deciding
		incident.Received, incident.Diagnosed, incident.Decided, // the live state had changed
	} {
		if err := in.Move(to, "", t0.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if got := in.Stages.Diagnosed.Sub(t0); got != 2*time.Second {
		t.Errorf("diagnosed after %s; want the second look", got)
	}
	if got := in.Stages.Decided.Sub(t0); got != 3*time.Second {
		t.Errorf("decided after %s; want the first decision", got)
	}
}

func TestWhatTheStateMachineDoesNotKnowChangesNothing(t *testing.T) {
	for _, test := range []struct{ from, to incident.State }{
		{incident.Received, incident.Acting},   // no action without a diagnosis
		{incident.Diagnosed, incident.Acting},  // nor without a decision
		{incident.Acting, incident.Closed},     // nothing is closed unproved
		{incident.Verifying, incident.Closed},  // nor without the hold
		{incident.Closed, incident.Received},   // the end is the end
		{incident.Escalated, incident.Decided}, // and a person's is a person's
	} {
		in := incident.Incident{State: test.from}
		if err := in.Move(test.to, "", t0); err == nil || in.State != test.from || in.Stages.Ended != nil {
			t.Errorf("%s -> %s: error %v, state %s", test.from, test.to, err, in.State)
		}
	}
}
