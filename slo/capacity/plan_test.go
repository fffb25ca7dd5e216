package capacity_test

import (
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/slo/capacity"
	"github.com/faultline-lab/faultline/slo/internal/figure"
)

func inventory() capacity.Load {
	return capacity.Load{
		Workload: "inventory", Pool: "inventory", Requests: 40,
		Replicas: []capacity.Replica{{ID: "inventory-1", Size: 4, Busy: 0.2, Counted: 0.2, Uses: 80}},
	}
}

func TestWhatARateNeedsAndWhetherItFits(t *testing.T) {
	demo := &capacity.Server{MaxConnections: 40, Reserved: 6, Others: 2} // 28 for pools, 4 of them inventory's
	for name, row := range map[string]struct {
		rate, headroom float64
		server         *capacity.Server
		load           capacity.Load
		replicas       int
		verdict        string
	}{
		"today's rate with half the pool free is what there is": {40, 0.5, demo, sheet(), 2, "fits, as it is"},
		"a little more needs a whole replica more":              {41, 0.5, demo, sheet(), 3, "fits: add 1"},
		"without headroom it needs fewer":                       {40, 0, demo, sheet(), 1, "fits, with 1 fewer than now"},
		"the surge of the sheet, x 2.5 with a fifth free":       {100, 0.2, demo, sheet(), 4, "fits: add 2"},
		"more replicas than the server has slots for":           {400, 0.2, demo, sheet(), 13, "does not fit: 7 replicas do, for 224/s"},
		"a server that others have filled takes none":           {40, 0.5, &capacity.Server{MaxConnections: 10, Reserved: 6, Others: 9}, sheet(), 2, "does not fit: 0 replicas do, for 0/s"},
		"nobody knows the server":                               {40, 0.5, nil, sheet(), 2, "unknown: give --database-url"},
		"nothing measured, nothing promised": {
			40, 0.5, demo, sheet(func(l *capacity.Load) { l.Replicas[0].Busy = figure.Unknown() }), 0, "nothing was measured",
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan := capacity.PlanFor(row.load, []capacity.Load{row.load, inventory()}, capacity.Wish{Rate: row.rate, Headroom: row.headroom}, row.server)
			if plan.Replicas != row.replicas || !strings.Contains(plan.Verdict, row.verdict) {
				t.Errorf("%d replicas, %q; want %d, %q", plan.Replicas, plan.Verdict, row.replicas, row.verdict)
			}
			if plan.Replicas > 0 && float64(plan.Carries) < row.rate-1e-9 {
				t.Errorf("%d replicas carry %v, which is less than %v", plan.Replicas, plan.Carries, row.rate)
			}
		})
	}
}

func TestThePoolThatIsFullFirstDecides(t *testing.T) {
	first, ok := capacity.First([]capacity.Load{inventory(), sheet()})
	if !ok || first.Workload != "orders" {
		t.Errorf("first is %s (%v); orders is full at 80/s, inventory at 800/s", first.Workload, ok)
	}
	unknown := sheet(func(l *capacity.Load) { l.Replicas[0].Busy = figure.Unknown() })
	if first, ok := capacity.First([]capacity.Load{unknown, inventory()}); !ok || first.Workload != "inventory" {
		t.Errorf("first is %s (%v); a pool of which nothing is known cannot be it", first.Workload, ok)
	}
	if _, ok := capacity.First([]capacity.Load{unknown}); ok {
		t.Error("a pool of which nothing is known is called the first to be full")
	}
}
