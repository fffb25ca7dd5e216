package capacity

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/bench/onstack"
)

// The figures are the machine's as well as the model's: the load generator, the database and the stack share its cores. So
// let it rest, as for `make bench`.
func TestTheSaturationRateIsPredictedWithinFifteenPercent(t *testing.T) {
	// This stack has its own ports; see package closedloop.
	t.Setenv("FAULTLINE_PORT_OFFSET", "13000")
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	found, err := onstack.MeasureCapacity(t.Context(), onstack.Config{
		Root: root, Folder: t.TempDir(), Rate: 40, WarmUp: 5 * time.Second, Measure: 10 * time.Second, Progress: t.Output(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("predicted at %d/s: %s is full at %.1f/s. Observed: good up to %d/s, not at %d/s; %.1f/s completed beyond. Off by %+.1f %%.",
		found.Rate, found.First, found.Predicted, found.Observed, found.Failing, found.Plateau, 100*found.Off())
	if !found.Met() {
		t.Errorf("the prediction is off by %+.1f %%, and may be by %.0f %% at most; was the machine busy?", 100*found.Off(), 100*onstack.CapacityGoal)
	}
	if found.First != "orders/orders" {
		t.Errorf("%s is called the first to be full; by design it is orders' pool", found.First)
	}
}
