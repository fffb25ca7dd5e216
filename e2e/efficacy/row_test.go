package efficacy

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/e2e/record"
)

const symptom = "ConnectionPoolExhausted"

// shown is a row of an experiment that did what it must.
func shown(expected Expectation) Row {
	row := Row{Experiment: "x", Expected: expected, Requests: 800, StillPresent: new(true), Steady: new(3.0)}
	if expected != Nothing {
		row.Alert, row.Fired, row.AlertFiring = symptom, []string{symptom}, new(1.4)
	}
	if expected == Effect {
		row.FirstBad, row.Failed, row.Fired = new(0.3), 700, []string{"CheckoutErrorBudgetBurn", symptom}
	}
	return row
}

func TestTheGateSaysWhatAnExperimentDidNotShow(t *testing.T) {
	for name, tc := range map[string]struct {
		expected Expectation
		change   func(*Row)
		want     string // empty: it passed
	}{
		"a fault that bites passes":                      {Effect, func(*Row) {}, ""},
		"a fault without a bad second has rotted":        {Effect, func(r *Row) { r.FirstBad = nil }, "no customer second was bad"},
		"a fault that another alert finds alone":         {Effect, func(r *Row) { r.Fired = r.Fired[:1] }, symptom + " did not fire"},
		"a fault that went by itself":                    {Effect, func(r *Row) { r.StillPresent = new(false) }, "gone before anybody"},
		"a fault that nobody can see":                    {Effect, func(r *Row) { r.StillPresent = nil }, "nobody could tell"},
		"a fault that leaves something behind":           {Effect, func(r *Row) { r.Left = []string{"x"} }, "still on record"},
		"a system that does not come back":               {Effect, func(r *Row) { r.Steady = nil }, "did not come back"},
		"a look-alike that fires and hurts nobody":       {AlertAlone, func(*Row) {}, ""},
		"a look-alike that does not fire":                {AlertAlone, func(r *Row) { r.Fired = nil }, symptom + " did not fire"},
		"a look-alike that hurts":                        {AlertAlone, func(r *Row) { r.FirstBad = new(2.0) }, "control must never"},
		"a look-alike that fires the promise's alert":    {AlertAlone, func(r *Row) { r.Fired = append(r.Fired, "Burn") }, "Burn fired"},
		"a control that nothing notices":                 {Nothing, func(r *Row) { r.StillPresent = new(false) }, ""},
		"a control that fires an alert":                  {Nothing, func(r *Row) { r.Fired = []string{symptom} }, symptom + " fired"},
		"a control whose presence nobody can tell is ok": {Nothing, func(r *Row) { r.StillPresent = nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			row := shown(tc.expected)
			tc.change(&row)
			missed := strings.Join(row.Missed(), "; ")
			if tc.want == "" && missed != "" || !strings.Contains(missed, tc.want) {
				t.Errorf("missed %q, want %q", missed, tc.want)
			}
			if table := (Run{Rows: []Row{row}}).Table(); strings.Contains(table, "**no**") != (tc.want != "") {
				t.Errorf("the table says\n%s", table)
			}
		})
	}
}

func TestWhatMustBeShownFollowsFromTheExperiment(t *testing.T) {
	for want, expect := range map[Expectation]experiment.Expect{
		Effect: {Cause: "connection-leak", Alert: symptom}, AlertAlone: {Alert: symptom}, Nothing: {},
	} {
		if got := Of(experiment.Experiment{Expect: expect}); got != want {
			t.Errorf("%+v must show %q, want %q", expect, got, want)
		}
	}
}

func TestARowCountsFromTheInjection(t *testing.T) {
	injected := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(ms int) *time.Time { return new(injected.Add(time.Duration(ms) * time.Millisecond)) }
	r := record.Record{Stages: record.Stages{Injected: &injected, FirstBad: at(400), AlertFiring: at(1500)}, Alerts: []string{symptom}}
	row := NewRow(experiment.Experiment{Name: "x", Expect: experiment.Expect{Cause: "x", Alert: symptom}}, r)
	if *row.FirstBad != 0.4 || *row.AlertFiring != 1.5 || row.StillPresent != nil || len(row.Fired) != 1 {
		t.Errorf("%+v", row)
	}
}

// The page comes from a run of some minutes, so nobody can hold it against one in `make test`; but it must not tell of other
// experiments than there are, or of one that failed.
func TestThePageTellsOfEveryExperimentAndAllOfThemPassed(t *testing.T) {
	page, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	all, err := experiments.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if !strings.Contains(string(page), "| ["+e.Name+"](faults/"+e.Name+".md) | "+string(Of(e))+" |") {
			t.Errorf("%s has no line for %s, which must show %q: %s", pageFile, e.Name, Of(e), howTo)
		}
	}
	if strings.Count(string(page), "](faults/") != len(all) || strings.Contains(string(page), "**no**") ||
		!strings.HasPrefix(string(page), head) || !strings.HasSuffix(string(page), tail) {
		t.Errorf("%s is not what the gate writes of a passage: %s", pageFile, howTo)
	}
}
