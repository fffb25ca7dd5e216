package abuse

import (
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// Customers who have met an error too often go away, just when a heal is to be proved. Then synthetic checkouts prove it.
func TestWhereNoCustomerIsLeftSyntheticCheckoutsProveTheHeal(t *testing.T) {
	l := open(t)
	l.fresh(t)
	l.Inject(t, "connection-leak", 1, window)
	seen := l.stillAt(t, incident.Verifying)
	thaw := l.Freeze(t, "loadgen-1")
	defer thaw()
	seen.goOn()
	ended := l.AwaitEnd(t)
	t.Cleanup(func() { l.explain(t, ended) })
	l.CheckOnce(t, ended)
	in := ended[0]
	if in.Outcome != incident.Recovered {
		t.Errorf("it ended as %s: %s", in.Outcome, in.Reason)
	}
	if !strings.Contains(in.Verification.Source, "synthetic") {
		t.Errorf("the proof is from %s; want it said that checkouts were synthetic", in.Verification.Source)
	}
	probed := 0
	for _, reading := range in.Verification.Readings {
		if reading.OK && reading.Total <= 2 {
			probed++
		}
	}
	if probed < in.Verification.Required {
		t.Errorf("%d good readings of nobody but a synthetic customer, want %d at least: %+v", probed, in.Verification.Required, in.Verification.Readings)
	}
	t.Logf("%d of %d readings were of synthetic checkouts", probed, len(in.Verification.Readings))
}
