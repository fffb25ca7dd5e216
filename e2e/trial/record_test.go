package trial

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/e2e/record"
)

func TestTheFirstIncidentGivesTheStagesAndFurtherOnesAreNoted(t *testing.T) {
	early := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	late := early.Add(time.Minute)
	newestFirst := []incident.Incident{
		{ID: "second", Stages: incident.Stages{WebhookReceived: &late}},
		{ID: "first", Stages: incident.Stages{WebhookReceived: &early}, Diagnosis: incident.Diagnosis{Cause: incident.ConnectionLeak}},
	}
	var r record.Record
	takeOver(&r, newestFirst)
	if r.IncidentID != "first" || r.CauseDiagnosed != "connection-leak" || !r.Stages.WebhookReceived.Equal(early) || len(r.Notes) != 1 {
		t.Errorf("record %+v", r)
	}
	var none record.Record
	takeOver(&none, nil)
	if none.IncidentID != "" || none.CauseDiagnosed != "" || none.Stages.WebhookReceived != nil {
		t.Errorf("without an incident the record says %+v", none)
	}
}

func TestTheHealerIsToldInTheOrderOfWhatItDid(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	in := incident.Incident{
		ID: "i", State: incident.Acting,
		Stages: incident.Stages{WebhookReceived: &at, Diagnosed: &at},
		Diagnosis: incident.Diagnosis{
			Cause: incident.ConnectionLeak, Summary: "connection-leak on orders-1",
			Ranked: []incident.Candidate{{Cause: incident.ConnectionLeak, For: []string{"orders-1: the pool is full; nobody works"}}},
		},
		Actions: []incident.Action{{Remedy: "restart-replicas", Target: "orders-1", StartedAt: at}},
	}
	var told []string
	for _, event := range healerEvents(in) {
		told = append(told, event.Text)
	}
	want := []string{
		"incident i: the alert is on disk, evidence is being gathered",
		"diagnosis: connection-leak on orders-1\norders-1: the pool is full\n  nobody works",
		"restart-replicas orders-1",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	in.Diagnosis = incident.Diagnosis{Cause: incident.Inconclusive}
	if text := healerEvents(in)[1].Text; !strings.Contains(text, "looking again") {
		t.Errorf("an inconclusive first look is told as %q", text)
	}
}

func TestASecondDiagnosisIsToldAtItsOwnTimeAndNothingTwice(t *testing.T) {
	first := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	in := incident.Incident{
		ID: "i", State: incident.Acting, Stages: incident.Stages{Diagnosed: &first},
		Diagnosis: incident.Diagnosis{Cause: incident.ConnectionLeak, Summary: "connection-leak on orders-1"},
	}
	news := healerNews{}
	if told := news.of([]incident.Incident{in}, first.Add(time.Second)); len(told) != 1 || !told[0].At.Equal(first) {
		t.Errorf("the first diagnosis is told as %+v", told)
	}
	if told := news.of([]incident.Incident{in}, first.Add(2*time.Second)); len(told) != 0 {
		t.Errorf("told twice: %+v", told)
	}
	in.Diagnosis.Summary = "connection-leak on orders-2"
	later := first.Add(3 * time.Second)
	if told := news.of([]incident.Incident{in}, later); len(told) != 1 || !told[0].At.Equal(later) {
		t.Errorf("the second diagnosis is told as %+v, want it at %s", told, later)
	}
}

func TestArmsThatDoNotExistAreRefusedWithThoseThatDo(t *testing.T) {
	if _, err := ParseArm("doctor"); err == nil || !strings.Contains(err.Error(), "accept-bot, healer, none, restart-bot") {
		t.Errorf("error = %v", err)
	}
	if arm, err := ParseArm("none"); err != nil || arms[arm].healers != 0 {
		t.Errorf("none = %q, %v", arm, err)
	}
}

func TestEveryAlertThatFiredIsNamedOnce(t *testing.T) {
	var alerts alertTimes
	for _, name := range []string{"ConnectionPoolExhausted", "CheckoutErrorBudgetBurn", "ConnectionPoolExhausted"} {
		alerts.fires(name)
	}
	if want := []string{"CheckoutErrorBudgetBurn", "ConnectionPoolExhausted"}; !slices.Equal(alerts.fired, want) {
		t.Errorf("fired %q, want %q", alerts.fired, want)
	}
}
