package study

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/record"
)

// held is a trial of network-latency that was mitigated, and what became of it after the fault.
func held(undone bool) Result {
	first := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := record.Record{
		Experiment: "network-latency", Arm: "healer", CauseExpected: "network-latency", CauseDiagnosed: "network-latency",
		Recovered: new(false), Mitigated: new(4.0), Requests: 400, Failed: 90,
		Actions:   []record.Action{{Remedy: "accept", Kind: "edge", Target: "storefront", Result: "done"}},
		Aftermath: &record.Aftermath{FaultRemoved: first.Add(20 * time.Second), Changes: 1},
	}
	r.Stages.FirstBad, r.Stages.SLIMitigated = &first, new(first.Add(4*time.Second))
	r.Stages.WebhookReceived, r.Stages.ActionStarted = new(first.Add(time.Second)), new(first.Add(1200*time.Millisecond))
	if undone {
		r.Aftermath.Undone, r.Aftermath.Ended = new(first.Add(26*time.Second)), new(first.Add(40*time.Second))
		r.Aftermath.Recovered = new(first.Add(27 * time.Second))
	}
	return Result{Trial: Trial{Experiment: "network-latency", Arm: "healer"}, Record: r}
}

func objectivesOfTheCheckout(t *testing.T) Objectives {
	t.Helper()
	data, err := os.ReadFile("../objectives.yaml")
	if err != nil {
		t.Fatal(err)
	}
	objectives, err := ParseObjectives("objectives.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	return objectives
}

func TestAFaultThatIsOnlyMitigatedHasObjectivesOfItsOwn(t *testing.T) {
	objectives := objectivesOfTheCheckout(t)
	if missed := objectives.Missed("local", Summarise([]Result{held(true)})); len(missed) != 0 {
		t.Errorf("mitigated, then undone: missed %q", missed)
	}
	missed := objectives.Missed("local", Summarise([]Result{held(true), held(false)}))
	if len(missed) != 1 || !strings.Contains(missed[0], "changes taken back is 0.5") {
		t.Errorf("one change still stands: missed %q", missed)
	}
	flapping := held(true)
	flapping.Record.Aftermath.Changes = 3
	missed = objectives.Missed("local", Summarise([]Result{flapping}))
	if len(missed) != 1 || !strings.Contains(missed[0], "lasting changes in one trial is 3") {
		t.Errorf("three changes of one trial: missed %q", missed)
	}
}

func TestAControlIsHeldToNothingBeingDone(t *testing.T) {
	objectives := objectivesOfTheCheckout(t)
	quiet := Result{Trial: Trial{Experiment: "look-alike", Arm: "healer"}, Record: record.Record{CauseDiagnosed: "inconclusive"}}
	quiet.Record.Actions = []record.Action{
		{Remedy: "health-check", Result: "done"}, {Remedy: "restart-replicas", Result: "skipped"},
	}
	if missed := objectives.Missed("local", Summarise([]Result{quiet})); len(missed) != 0 {
		t.Errorf("a control that was looked at: missed %q", missed)
	}
	touched := quiet
	touched.Record.WrongAction = true
	touched.Record.Actions = []record.Action{{Remedy: "restart-replicas", Result: "done"}}
	if missed := objectives.Missed("local", Summarise([]Result{touched})); len(missed) != 2 {
		t.Errorf("a control that was restarted: missed %q, want the wrong action and that something was done", missed)
	}
}

func TestAFaultThatNobodyKnowsMustBeHandedOver(t *testing.T) {
	objectives := objectivesOfTheCheckout(t)
	first := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	result := Result{Trial: Trial{Experiment: "payments-errors", Arm: "healer"}, Record: record.Record{
		CauseExpected: "inconclusive", CauseDiagnosed: "inconclusive", Outcome: "handed-over",
	}}
	result.Record.Stages.FirstBad = &first
	if missed := objectives.Missed("local", Summarise([]Result{result})); len(missed) != 0 {
		t.Errorf("handed over: missed %q", missed)
	}
	result.Record.Outcome, result.Record.CauseDiagnosed = "recovered", "slow-downstream"
	if missed := objectives.Missed("local", Summarise([]Result{result})); len(missed) != 2 {
		t.Errorf("named and closed: missed %q, want two", missed)
	}
}

func TestTheTableTellsWhatBecameOfChangesThatStood(t *testing.T) {
	table := Table(Summarise([]Result{held(true)}))
	for _, want := range []string{
		"| network-latency | healer | 1 of 1 | accept (1) | 0 of 1 | 1 of 1 | 0 | - | 4.0 / 4.0 / 4.0 s | 0.200 s |",
		"| network-latency | healer | 1 of 1 | 1 of 1 | 6.0 / 6.0 / 6.0 s | 1 |",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}
