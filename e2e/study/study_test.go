package study

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/record"
)

func TestPlanHoldsEachTrialOnceAndItsSeedDecidesTheOrder(t *testing.T) {
	plan := Plan([]string{"connection-leak"}, []string{"healer", "none"}, 10, 7)
	if len(plan) != 20 {
		t.Fatalf("%d trials, want 20", len(plan))
	}
	seen := map[Trial]int{}
	runs := 0
	for i, trial := range plan {
		seen[trial]++
		if i > 0 && trial.Arm != plan[i-1].Arm {
			runs++
		}
	}
	for trial, times := range seen {
		if times != 1 {
			t.Errorf("%+v is planned %d times", trial, times)
		}
	}
	if runs < 3 {
		t.Errorf("the arms change only %d times: the plan is not shuffled", runs)
	}
	again := Plan([]string{"connection-leak"}, []string{"healer", "none"}, 10, 7)
	for i := range plan {
		if plan[i] != again[i] {
			t.Fatalf("the same seed gave another order at %d", i)
		}
	}
}

func TestSpreadIsNearestRank(t *testing.T) {
	values := []float64{5, 3, 4, 3, 5, 4, 4, 9, 3, 4}
	if got := SpreadOf(values); got != (Spread{10, 3, 4, 9, 9}) {
		t.Errorf("got %+v", got)
	}
	if got := SpreadOf([]float64{2}); got != (Spread{1, 2, 2, 2, 2}) {
		t.Errorf("one value: %+v", got)
	}
	if got := SpreadOf(nil); got != (Spread{}) {
		t.Errorf("no value: %+v", got)
	}
}

func result(arm string, recoveredAfter int) Result {
	first := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := record.Record{
		Experiment: "connection-leak", Arm: arm, CauseExpected: "connection-leak", Recovered: new(recoveredAfter > 0),
		Requests: 400, Failed: 120,
	}
	r.Stages.Injected, r.Stages.FirstBad = &first, &first
	if recoveredAfter > 0 {
		r.CauseDiagnosed = "connection-leak"
		r.Stages.WebhookReceived = new(first.Add(1500 * time.Millisecond))
		r.Stages.ActionStarted = new(first.Add(1750 * time.Millisecond))
		r.MTTR = new(float64(recoveredAfter))
	}
	return Result{Trial: Trial{Experiment: "connection-leak", Arm: arm}, Record: r}
}

func TestObjectives(t *testing.T) {
	data, err := os.ReadFile("../objectives.yaml")
	if err != nil {
		t.Fatal(err)
	}
	objectives, err := ParseObjectives("objectives.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	broken := Result{Trial: Trial{Experiment: "connection-leak", Arm: "healer"}, Error: "steady state not reached"}
	slow := result("healer", 12)
	noEffect := result("none", 0)
	noEffect.Record.Stages.FirstBad = nil
	wrong := result("healer", 4)
	wrong.Record.WrongAction = true
	for name, tc := range map[string]struct {
		results []Result
		missed  []string
	}{
		"all healed in time, none without":                 {[]Result{result("healer", 4), result("none", 0)}, nil},
		"one that broke off is no recovery":                {[]Result{result("healer", 4), broken}, []string{"trials that broke off is 1", "recovery rate is 0.5", "causes named is 0.5"}},
		"slow heals miss both quantiles":                   {[]Result{slow}, []string{"MTTR p50 is 12", "MTTR p95 is 12"}},
		"one wrong action is one too many":                 {[]Result{wrong}, []string{"wrong actions is 1"}},
		"an arm whose trials all broke off proves nothing": {[]Result{{Trial: Trial{Experiment: "connection-leak", Arm: "none"}, Error: "no"}}, []string{"trials that broke off is 1"}},
		"a fault without an effect proves nothing":         {[]Result{noEffect}, []string{"the fault had no effect is 1"}},
		"a fault that heals itself is no proof":            {[]Result{result("none", 6)}, []string{"recovery rate is 1"}},
		"a healer that never acted proves little":          {[]Result{result("healer", 0)}, []string{"recovery rate is 0", "causes named is 0", "MTTR p50 was never", "MTTR p95 was never", "webhook to action p95 was never"}},
	} {
		t.Run(name, func(t *testing.T) {
			missed := objectives.Missed("local", Summarise(tc.results))
			if len(missed) != len(tc.missed) {
				t.Fatalf("missed %q, want %d of them", missed, len(tc.missed))
			}
			for i := range missed {
				if !strings.Contains(missed[i], tc.missed[i]) {
					t.Errorf("missed[%d] = %q, want %q in it", i, missed[i], tc.missed[i])
				}
			}
		})
	}
}

func TestEachTargetHasObjectivesOfItsOwn(t *testing.T) {
	objectives, err := ParseObjectives("mine.yaml", []byte("local:\n  healer: {mttr_p95_max: 9}\nkind:\n  healer: {mttr_p95_max: 20}\n"))
	if err != nil {
		t.Fatal(err)
	}
	rows := Summarise([]Result{result("healer", 12)})
	if missed := objectives.Missed("local", rows); len(missed) != 1 {
		t.Errorf("12 s on local: missed %q, want one", missed)
	}
	if missed := objectives.Missed("kind", rows); len(missed) != 0 {
		t.Errorf("12 s on kind: missed %q, want none", missed)
	}
	broken := Summarise([]Result{{Trial: Trial{Experiment: "connection-leak", Arm: "none"}, Error: "no"}})
	if missed := objectives.Missed("kind", broken); len(missed) != 1 {
		t.Errorf("an arm without bounds whose trials broke off: missed %q, want one", missed)
	}
}

func TestObjectivesOfWhatDoesNotExistAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"kidn:\n  healer: {}\n":                                 `unknown target "kidn"; there are: kind, local`,
		"kind:\n  heeler: {}\n":                                 `unknown arm "heeler"`,
		"kind:\n  healer:\n    experiments: {earthquake: {}}\n": `there is no experiment "earthquake"`,
	} {
		if _, err := ParseObjectives("mine.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestObjectivesWithAnUnknownKeyNameFileAndLine(t *testing.T) {
	_, err := ParseObjectives("mine.yaml", []byte("local:\n  healer:\n    recovery_rate_min: 1\n    mttr_p51_max: 5\n"))
	if err == nil || !strings.Contains(err.Error(), "mine.yaml") || !strings.Contains(err.Error(), "[4:") {
		t.Errorf("error = %v, want file and line", err)
	}
}

func TestTable(t *testing.T) {
	table := Table(Summarise([]Result{result("healer", 4), result("healer", 6), result("none", 0)}))
	for _, want := range []string{
		"| connection-leak | healer | 2 of 2 | none | 2 of 2 | 0 of 2 | 0 | 4.0 / 6.0 / 6.0 s | - | 0.250 s |",
		"| connection-leak | none | 0 of 1 | none | 0 of 1 | 0 of 1 | 0 | - |", "| action_started | 2 | 1.75 | 1.75 | 1.75 | 1.75 |",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}
