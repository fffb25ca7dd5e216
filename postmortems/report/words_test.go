package report_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

func TestWhatBecameOfAChangeIsToldInWords(t *testing.T) {
	until := ptr(at(15))
	tests := []struct {
		name string
		undo incident.Undo
		want string
	}{
		{"one that stands", incident.Undo{State: incident.Standing, Until: until}, "**standing**, and lapses by itself at 12:00:15.000 unless it is renewed"},
		{"one that nobody but the healer takes back", incident.Undo{State: incident.Standing}, "| **standing** |"},
		{"one that is being taken back", incident.Undo{State: incident.Undoing, StartedAt: ptr(at(9))}, "**being undone**"},
		{
			"one whose fault has passed",
			incident.Undo{State: incident.Undone, Passed: true, StartedAt: ptr(at(9)), FinishedAt: ptr(at(10))},
			"| undone, because the fault had passed |",
		},
		{
			"one that did not help",
			incident.Undo{State: incident.Undone, StartedAt: ptr(at(9)), FinishedAt: ptr(at(10))},
			"| undone, because it did not help or could not stay |",
		},
		{"one that nobody renewed", incident.Undo{State: incident.Undone, Passed: true, FinishedAt: ptr(at(15)), Until: until}, "| lapsed |"},
		{"the cure", incident.Undo{State: incident.Kept, FinishedAt: ptr(at(10))}, "| kept: it is no matter of time |"},
		{"one that somebody else has changed", incident.Undo{State: incident.Left, Detail: "somebody | else"}, `**left**: a person owns it (somebody \| else)`},
		{"one of which the record does not say it", incident.Undo{}, "unknown: the record does not say"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := story("inc-1", incident.NetworkLatency, "orders")
			did(&in, 1, 0.1, "accept", incident.EdgeTarget, "storefront", "normal -> accept", "").Undo = &test.undo
			if got := render(t, told(in, 3)); !strings.Contains(got, test.want) {
				_, changes := cutAt(t, got, "### Changes")
				t.Errorf("the report lacks %q; it says %s", test.want, changes[:min(len(changes), 500)])
			}
		})
	}
}

func TestTheAnswerOfAPersonIsToldWithNameAndTime(t *testing.T) {
	tests := []struct {
		name     string
		approval incident.Approval
		want     string
	}{
		{"approved", incident.Approval{Answer: incident.Approved, By: "ada", At: ptr(at(4))}, "| Approval | **approved** by ada at 12:00:04.000, after 3.0 s "},
		{"denied with a comment", incident.Approval{Answer: incident.Denied, By: "grace", Comment: "not now", At: ptr(at(4))}, "**denied** by grace at 12:00:04.000, after 3.0 s: not now"},
		{"nobody answered", incident.Approval{Answer: incident.Expired, At: ptr(at(61))}, "nobody answered in time, which is a no"},
		{"still open", incident.Approval{}, "| Approval | no answer in the record"},
		{"a name is missing", incident.Approval{Answer: incident.Approved}, "**approved**, the record does not say by whom"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := story("inc-1", incident.ConnectionLeak, "orders")
			test.approval.AskedAt, test.approval.Expires, test.approval.Remedy = at(1), at(61), "restart-replicas"
			in.Approval = &test.approval
			if got := render(t, told(in, 3)); !strings.Contains(got, test.want) {
				t.Errorf("the report lacks %q", test.want)
			}
		})
	}
}

func TestOrdersThatAreTakenForLaterMitigateAndAreNoRecovery(t *testing.T) {
	got := render(t, networkLatency())
	for _, want := range []string{
		"**mitigated**", "12:00:22.000 | +22.0 s | first of 10 good seconds running at the edge: **recovered**", "819 only taken for later (202)",
		"Bad seconds (more than 5 % of their checkouts failed or took too long): **3**", "3 were seen; 6 readings before were good only with orders that were taken",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	without := networkLatency()
	without.Telemetry.Edge.Taken = nil // as it was gathered before anybody counted them
	if got := render(t, without); strings.Contains(got, "**mitigated**") || !strings.Contains(got, "Bad seconds (more than 5 % of their checkouts failed or took too long): **24**") {
		t.Error("without a count of what was taken for later, the report says that clients were helped")
	}
}

func TestAFaultThatIsStillHeldIsNotCalledRecovered(t *testing.T) {
	in := networkLatency()
	i := &in.Incident
	i.State, i.Outcome, i.Reason = incident.Holding, "", "well as long as accept stands: waiting for the fault to pass"
	i.Actions[0].Undo = &incident.Undo{Target: i.Actions[0].Undo.Target, Lasting: true, State: incident.Standing, Until: ptr(at(31))}
	i.Stages.Ended = nil
	for s := range in.Telemetry.Edge.Good {
		if s > 11 {
			in.Telemetry.Edge.Good[s], in.Telemetry.Edge.Taken[s] = 1, 39
		}
	}
	got := render(t, in)
	for _, want := range []string{"> **Draft.**", "still open (holding)", "**mitigated**", "**no recovery**", "**standing**"} {
		if !strings.Contains(got, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if strings.Contains(got, "**recovered**") {
		t.Error("a fault that goes on is called recovered")
	}
}

func TestALeakThatOnlyARollBackEndedIsReadAsABadRelease(t *testing.T) {
	got := render(t, hiddenRelease())
	for _, want := range []string{"What lasted was going back from version v2", "It took 2 rungs of the ladder", "Roll out to one replica first", "relapse within the hold"} {
		if !strings.Contains(got, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

// The record as it was written before there were kinds of targets, choices, changes and approvals.
const oldRecord = `{"id":"inc-1","workload":"orders","workloads":["orders"],"state":"closed","outcome":"recovered","reason":"the edge stayed good",
"stages":{"alert_starts_at":"2026-01-02T12:00:00Z","webhook_received":"2026-01-02T12:00:00.1Z","action_finished":"2026-01-02T12:00:01Z","verified":"2026-01-02T12:00:04Z"},
"alerts":[],"evidence":[],"diagnosis":{"cause":"connection-leak","subjects":["orders-1"],"ranked":[],"summary":"a leak","round":1},"verdicts":[],
"actions":[{"key":"inc-1/0/orders-1","rung":0,"remedy":"restart-replicas","target":"orders-1","precondition":"start_id=0f3c","pre_state":"ready","started_at":"2026-01-02T12:00:00.5Z","finished_at":"2026-01-02T12:00:01Z","result":"done"}],
"verification":{"source":"edge","required":3,"readings":[{"at":"2026-01-02T12:00:04Z","total":40,"good":40,"ok":true,"status":"known"}]},"rung":0}`

func TestAnOldRecordIsToldWithoutWhatItDoesNotHold(t *testing.T) {
	var in incident.Incident
	if err := json.Unmarshal([]byte(oldRecord), &in); err != nil {
		t.Fatal(err)
	}
	got := render(t, told(in, 3))
	for _, want := range []string{"restart-replicas orders-1 (done)", "| 1 | restart-replicas | orders-1 | 12:00:00.500", "what its actions themselves have cost is not in the record"} {
		if !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
			t.Errorf("the report lacks %q", want)
		}
	}
	for _, wrong := range []string{"### Changes", "ladder was climbed", "a person was asked", "| Approval |", "for later (202)", "start_id"} {
		if strings.Contains(got, wrong) {
			t.Errorf("the report says %q of a record that does not", wrong)
		}
	}
}

func TestTheEndWithoutACauseIsToldAsWhatItWas(t *testing.T) {
	for _, test := range []struct {
		outcome incident.Outcome
		want    string
	}{
		{incident.SelfRecovered, "The symptom had gone before anything was done."},
		{incident.Harmless, "The symptom was there, and nobody was harmed by it"},
		{incident.HandedOver, "Autoheal does not act on a guess"},
	} {
		in := story("inc-1", incident.Inconclusive, "")
		ended(&in, 5, incident.Closed, test.outcome, "why")
		if got := render(t, told(in, -3)); !strings.Contains(got, test.want) {
			t.Errorf("%s: the report lacks %q", test.outcome, test.want)
		}
	}
}
