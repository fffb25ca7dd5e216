// Package playbooks holds the healer's playbook and harm list against what the experiments say of each fault: both sides are
// written by hand, and neither may import the other.
package playbooks

import (
	"slices"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/experiments"
)

func all(t *testing.T) []experiment.Experiment {
	t.Helper()
	list, err := experiments.All()
	if err != nil || len(list) < 10 {
		t.Fatalf("%d experiments, %v", len(list), err)
	}
	return list
}

// harmList is what the guard says of a remedy for a cause.
func harmList(t *testing.T, cause, name string) incident.Verdict {
	t.Helper()
	decision := guard.Ask(guard.Request{Cause: incident.Cause(cause), Remedy: name})
	i := slices.IndexFunc(decision.Verdicts, func(v incident.Verdict) bool { return v.Guard == "harm-list" })
	if i < 0 {
		t.Fatal("no guard is called harm-list")
	}
	return decision.Verdicts[i]
}

func TestWhatAnExperimentCallsHarmfulIsRefusedAndWhatItCallsRightIsNot(t *testing.T) {
	for _, e := range all(t) {
		for _, name := range e.Expect.Harmful {
			v := harmList(t, e.Expect.Cause, name)
			if v.Allowed {
				t.Errorf("%s: %s is harmful, and the harm list says: %s", e.Name, name, v.Reason)
			}
			if e.Expect.Cause != "" && !strings.Contains(v.Reason, guard.Harmful(incident.Cause(e.Expect.Cause), name)) {
				t.Errorf("%s: %s is refused without its reason: %s", e.Name, name, v.Reason)
			}
		}
		for _, name := range e.Expect.Right {
			if v := harmList(t, e.Expect.Cause, name); !v.Allowed {
				t.Errorf("%s: %s is right, and the harm list says: %s", e.Name, name, v.Reason)
			}
		}
	}
}

func TestTheHarmListHasNothingThatNoExperimentCallsHarmful(t *testing.T) {
	for _, cause := range incident.Causes() {
		i := slices.IndexFunc(all(t), func(e experiment.Experiment) bool { return e.Expect.Cause == string(cause) })
		if i < 0 {
			t.Errorf("no experiment has the cause %s", cause)
			continue
		}
		for _, name := range guard.HarmfulFor(cause) {
			if !slices.Contains(all(t)[i].Expect.Harmful, name) {
				t.Errorf("%s for %s is on the harm list, and the experiment does not call it harmful", name, cause)
			}
		}
	}
}

func TestTheBuiltInPlaybookBeginsWithWhatIsRightAndHasNothingThatHarms(t *testing.T) {
	book, err := playbook.Load("", playbook.Known{
		Causes: incident.Causes(), Remedies: playbook.Remedies(remedy.Known()), Harmful: guard.Harmful, Limits: guard.Defaults(guard.Act),
	})
	if err != nil || len(book.Warnings) > 0 {
		t.Fatalf("%v, warnings %v", err, book.Warnings)
	}
	for _, e := range all(t) {
		ladder := book.Ladder(incident.Cause(e.Expect.Cause))
		switch {
		case e.Expect.Cause == "":
			continue
		case len(ladder) == 0:
			t.Errorf("%s has no ladder", e.Expect.Cause)
			continue
		case !slices.Contains(e.Expect.Right, ladder[0].Remedy):
			t.Errorf("%s begins with %s; right is one of %v", e.Expect.Cause, ladder[0].Remedy, e.Expect.Right)
		}
		for _, rung := range ladder {
			if slices.Contains(e.Expect.Harmful, rung.Remedy) {
				t.Errorf("%s has %s, which harms", e.Expect.Cause, rung.Remedy)
			}
		}
	}
}
