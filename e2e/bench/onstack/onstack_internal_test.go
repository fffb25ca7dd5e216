package onstack

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/bench/cputime"
)

// family is a supervisor with services, a database with a backend, and a Jaeger.
var family = []process{
	{Name: "storefront-1", PID: 11, Kind: "service"},
	{Name: "orders-1", PID: 12, Kind: "service"},
	{Name: "orders-2", PID: 13, Kind: "service"},
	{Name: "inventory-1", PID: 14, Kind: "service"},
	{Name: "payments-1", PID: 15, Kind: "service"},
	{Name: "loadgen-1", PID: 16, Kind: "service"},
	{Name: "autoheal-1", PID: 17, Kind: "service"},
	{Name: "postgres", PID: 18, Kind: "database"},
	{Name: "jaeger", PID: 19, Kind: "stack"},
}

// after gives everybody that much processor time; the backend is Postgres' child 180.
func after(each time.Duration) cputime.Table {
	table := cputime.Table{10: {Start: "1", Own: each}, 180: {Parent: 18, Start: "1", Own: each}}
	for _, one := range family {
		table[one.PID] = cputime.Process{Parent: 10, Start: "1", Own: each}
	}
	return table
}

func TestProcessorTimeIsCountedOnceAndWhereItBelongs(t *testing.T) {
	got, err := perOrder(after(time.Second), after(2*time.Second), family, 10, 100)
	if err != nil {
		t.Fatal(err)
	}
	for group, want := range map[string]float64{
		Services: 50, "orders-1": 10, Postgres: 20, Loadgen: 10, Healer: 10, Backends: 10, Overseer: 10,
	} {
		if math.Abs(got[group]-want) > 0.001 {
			t.Errorf("%s used %v ms for each order, want %v", group, got[group], want)
		}
	}
	if _, err := perOrder(after(time.Second), cputime.Table{}, family, 10, 100); err == nil {
		t.Error("processes that are no longer there were measured")
	}
}

func TestAWorkloadThatIsNotListedIsMissed(t *testing.T) {
	if err := complete(family); err != nil {
		t.Error(err)
	}
	if err := complete(family[1:]); err == nil || !strings.Contains(err.Error(), "storefront") {
		t.Errorf("without storefront the list is complete: %v", err)
	}
}

func round(arm string, services, good float64) Round {
	return Round{Arm: arm, Window: Window{
		Sent: 100, Orders: int(100 * good), P99Millis: 150, CPUMillis: map[string]float64{Services: services, Postgres: 1},
	}}
}

func TestTheCostIsTheMedianOfTheRoundsRatiosAndTheGoalIsHeldAgainstIt(t *testing.T) {
	cost := Cost{Rounds: []Round{
		round(Off, 2, 1), round(On, 2.2, 1), round(On, 4.4, 0.9), round(Off, 4, 1), round(Off, 3, 1), round(On, 6, 1),
	}}
	cost.summarise(1)
	if got := cost.Services.Ratio; math.Abs(got.Median-1.1) > 1e-9 || got.Max != 2 || !cost.Met() {
		t.Errorf("ratio %+v, met %v; want a median of 1.1, which meets the goal", got, cost.Met())
	}
	if got := cost.WithPostgres.Ratio.Median; math.Abs(got-5.4/5) > 1e-9 {
		t.Errorf("with Postgres %v, want 1.08", got)
	}
	if cost.Rows[0].DisturbedRounds != 0 || cost.Rows[1].DisturbedRounds != 1 {
		t.Errorf("disturbed rounds: %+v; want one, with telemetry on", cost.Rows)
	}
	worse := Cost{Rounds: []Round{round(Off, 2, 1), round(On, 2.4, 1)}}
	worse.summarise(1)
	if worse.Met() || (&Cost{}).Met() {
		t.Error("a goal was met by 20 % more, or by nothing at all")
	}
}
