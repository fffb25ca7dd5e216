package harm

import (
	"testing"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
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
