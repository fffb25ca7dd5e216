package agreement

import (
	"testing"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/chaos/experiments"
)

// What the disease calls harmful the doctor must know to be so, and nothing that is right.
func TestTheHarmListKnowsWhatTheExperimentsCallHarmful(t *testing.T) {
	all, err := experiments.All()
	if err != nil {
		t.Fatal(err)
	}
	pairs := 0
	for _, e := range all {
		if e.Expect.Cause == "" {
			continue // without a cause there is no diagnosis, and nothing may be done at all
		}
		cause := incident.Cause(e.Expect.Cause)
		for _, remedy := range e.Expect.Harmful {
			pairs++
			if guard.Harmful(cause, remedy) == "" {
				t.Errorf("%s: the harm list does not know that %s is harmful", e.Name, remedy)
			}
		}
		for _, remedy := range e.Expect.Right {
			if why := guard.Harmful(cause, remedy); why != "" {
				t.Errorf("%s: %s is right, and on the harm list: %s", e.Name, remedy, why)
			}
		}
	}
	if pairs == 0 {
		t.Error("no experiment calls anything harmful")
	}
}

// Every remedy that an experiment speaks of must be one that the healer has, or it could not be asked for.
func TestTheHealerHasEveryRemedyThatTheExperimentsSpeakOf(t *testing.T) {
	all, err := experiments.All()
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := experiments.Unknown()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, one := range remedy.Known() {
		known[one.Name()] = true
	}
	for _, e := range append(all, unknown...) {
		for _, name := range append(e.Expect.Right, e.Expect.Harmful...) {
			if !known[name] {
				t.Errorf("%s speaks of %s, which the healer does not have", e.Name, name)
			}
		}
	}
}
