package fault_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/chaos/internal/smallshop"
)

// known is a Metrics that gives the size of the pools.
type known []float64

func (k known) Values(context.Context, string) ([]float64, error) { return k, nil }

func open(t *testing.T, shop *smallshop.Shop, metrics fault.Metrics) fault.Driver {
	t.Helper()
	e, err := experiment.Parse("small-leak.yaml", []byte(shop.Experiment()))
	if err != nil {
		t.Fatal(err)
	}
	driver, err := fault.Open(e, fault.Environment{Stack: shop.Stack, Metrics: metrics, ID: "0a1b2c3d", TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return driver
}

func inject(t *testing.T, driver fault.Driver) fault.Injection {
	t.Helper()
	prepared, err := driver.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	injection, err := driver.Inject(t.Context(), prepared)
	if err != nil {
		t.Fatal(err)
	}
	return injection
}

// waitPresent waits until the fault is on exactly these replicas; a session counts only once it has been idle for
// longer than an honest order could be.
func waitPresent(t *testing.T, driver fault.Driver, state fault.State, subjects ...string) {
	t.Helper()
	var last fault.Presence
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		presence, err := driver.StillPresent(t.Context(), state)
		if err != nil {
			t.Fatal(err)
		}
		if last = presence; strings.Join(presence.Subjects, " ") == strings.Join(subjects, " ") {
			if presence.Present != (len(subjects) > 0) {
				t.Fatalf("present is %v with subjects %v", presence.Present, presence.Subjects)
			}
			return
		}
	}
	t.Fatalf("the fault is on %v (%s), want %v", last.Subjects, last.Detail, subjects)
}

func TestABurstTakesEveryConnectionAndRestoreGivesThemBack(t *testing.T) {
	shop := smallshop.Open(t)
	driver := open(t, shop, known{2 * smallshop.PoolMax})
	first, second := shop.Workload()+"-1", shop.Workload()+"-2"

	injection := inject(t, driver)
	if shop.Leaks() != 2*smallshop.PoolMax {
		t.Errorf("%d connections are held, want all %d (%s)", shop.Leaks(), 2*smallshop.PoolMax, injection.Detail)
	}
	if got := strings.Join(injection.Affected, " "); got != first+" "+second {
		t.Errorf("affected: %q", got)
	}
	waitPresent(t, driver, injection.State, first, second)

	if err := driver.Restore(t.Context(), injection.State); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(shop.Restarts(), " "); got != first+" "+second {
		t.Errorf("restarted %q, want each leaking replica once, one after the other", got)
	}
	waitPresent(t, driver, injection.State)
	if err := driver.Restore(t.Context(), injection.State); err != nil || len(shop.Restarts()) != 2 {
		t.Errorf("a second Restore: %v, restarts %v", err, shop.Restarts())
	}
}

func TestRestoreLeavesAReplicaAloneThatSomebodyElseHasMended(t *testing.T) {
	shop := smallshop.Open(t)
	driver := open(t, shop, known{2 * smallshop.PoolMax})
	injection := inject(t, driver)
	if !shop.Heal(0) {
		t.Fatal("the healer could not restart the first replica")
	}
	waitPresent(t, driver, injection.State, shop.Workload()+"-2")
	if err := driver.Restore(t.Context(), injection.State); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(shop.Restarts(), " "); got != shop.Workload()+"-1 "+shop.Workload()+"-2" {
		t.Errorf("restarts: %q, want the healer's and one more", got)
	}
}

func TestTheStateFromBeforeTheInjectionIsEnoughToRestore(t *testing.T) {
	shop := smallshop.Open(t)
	driver := open(t, shop, known{2 * smallshop.PoolMax})
	prepared, err := driver.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := driver.Inject(t.Context(), prepared); err != nil {
		t.Fatal(err)
	}
	// The process died before it could store what Inject returned.
	if err := open(t, shop, known{8}).Restore(t.Context(), prepared); err != nil {
		t.Fatal(err)
	}
	if shop.Leaks() != 0 {
		t.Errorf("%d connections are still held", shop.Leaks())
	}
}

func TestAShopWithoutTheBugIsAnErrorThatSaysWhatTheOrdersGot(t *testing.T) {
	shop := smallshop.Open(t)
	shop.Lock()
	shop.Mended = true
	shop.Unlock()
	driver := open(t, shop, known{2 * smallshop.PoolMax})
	prepared, err := driver.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = driver.Inject(t.Context(), prepared)
	if err == nil || !strings.Contains(err.Error(), "coupon_expired") || !strings.Contains(err.Error(), "of 8 connections") {
		t.Errorf("got %v", err)
	}
}

func TestPrepareRefusesWhatItCannotSize(t *testing.T) {
	shop := smallshop.Open(t)
	for name, tt := range map[string]struct {
		metrics known
		want    string
	}{
		"no series about the pools":       {known{}, "cannot be sized"},
		"more connections than orders":    {known{33}, "raise at_most"},
		"pools that may hold nothing yet": {known{0}, "cannot be sized"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := open(t, shop, tt.metrics).Prepare(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAnAdministratorWhoMaySeeNothingIsAnErrorAndNotHealth(t *testing.T) {
	shop := smallshop.Open(t)
	driver := open(t, shop, known{2 * smallshop.PoolMax})
	injection := inject(t, driver)
	shop.Stack.DatabaseURLs["admin"] = smallshop.OrdinaryUser(t)
	if _, err := open(t, shop, known{8}).StillPresent(t.Context(), injection.State); err == nil ||
		!strings.Contains(err.Error(), "pg_read_all_stats") {
		t.Errorf("got %v", err)
	}
}
