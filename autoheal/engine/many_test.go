package engine_test

import (
	"maps"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

func TestAlertsOfOneGroupAreOneIncident(t *testing.T) {
	scenario(t, nil, func(t *testing.T, c *clinic) {
		c.world.leak("orders-1")
		time.Sleep(2 * time.Second)
		c.alert("CheckoutErrorBudgetBurn", "storefront")
		c.alert("ConnectionPoolExhausted", "orders", "inventory")
		in := only(t, c.settle())
		if len(in.Alerts) != 3 || in.Workload != "orders" || in.Outcome != incident.Recovered {
			t.Errorf("%d alerts, root %s, outcome %s; want 3, orders, recovered", len(in.Alerts), in.Workload, in.Outcome)
		}
	})
}

func TestDuplicatesChangeNothing(t *testing.T) {
	scenario(t, nil, func(t *testing.T, c *clinic) {
		c.world.leak("orders-1")
		time.Sleep(2 * time.Second)
		first := c.alert("ConnectionPoolExhausted", "orders")
		for range 5 {
			c.deliver(first)
			time.Sleep(300 * time.Millisecond)
		}
		in := only(t, c.settle())
		c.deliver(first) // and once more after the end
		time.Sleep(5 * time.Second)
		only(t, c.all())
		if got, want := c.world.restarted(), (map[string]int{"orders-1": 1}); !maps.Equal(got, want) || len(in.Alerts) != 1 {
			t.Errorf("restarted %v, %d alerts; want %v, 1", got, len(in.Alerts), want)
		}
	})
}

func TestALateAlertOfTheSameFaultIsNoRelapse(t *testing.T) {
	scenario(t, nil, func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1")
		time.Sleep(8 * time.Second) // well again, and proved
		c.alert("CheckoutErrorBudgetBurn", "storefront")
		in := only(t, c.settle())
		if in.Outcome != incident.Recovered || len(in.Actions) != 1 || len(in.Alerts) != 2 {
			t.Errorf("outcome %s, %d actions, %d alerts; want recovered, 1, 2", in.Outcome, len(in.Actions), len(in.Alerts))
		}
	})
}

func TestTheCooldownRefusesASecondRestartOfTheSameReplica(t *testing.T) {
	scenario(t, nil, func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1")
		c.settle()
		time.Sleep(30 * time.Second)
		leakThenAlert(c, 2*time.Second, "orders-1")
		all := c.settle()
		if len(all) != 2 {
			t.Fatalf("there are %d incidents; want 2", len(all))
		}
		if second := all[1]; second.Outcome != incident.HandedOver || len(second.Actions) != 0 {
			t.Errorf("outcome %s with %d actions: %s; want handed-over with none", second.Outcome, len(second.Actions), second.Reason)
		}
		if got, want := c.world.restarted(), (map[string]int{"orders-1": 1}); !maps.Equal(got, want) {
			t.Errorf("restarted %v; want %v", got, want)
		}
	})
}

func TestTheSameHealTooOftenEndsWithAPerson(t *testing.T) {
	scenario(t, nil, func(t *testing.T, c *clinic) {
		for range c.limits.Repeats + 1 {
			leakThenAlert(c, 2*time.Second, "orders-1")
			c.settle()
			time.Sleep(c.limits.Cooldown)
		}
		all := c.all()
		last := all[len(all)-1]
		if last.Outcome != incident.HandedOver || c.world.restarted()["orders-1"] != c.limits.Repeats {
			t.Errorf("the last incident is %s: %s; restarted %v", last.Outcome, last.Reason, c.world.restarted())
		}
	})
}

func TestTheSymptomGoesBetweenTheDecisionAndTheAction(t *testing.T) {
	scenario(t, func(c *clinic) { c.kill = nil }, func(t *testing.T, c *clinic) {
		c.world.leak("orders-1", "orders-2")
		c.world.after = func(string) { c.world.cure("orders-2") } // mends itself while the first is restarted
		time.Sleep(2 * time.Second)
		c.alert("ConnectionPoolExhausted", "orders")
		in := only(t, c.settle())
		if got, want := c.world.restarted(), (map[string]int{"orders-1": 1}); !maps.Equal(got, want) {
			t.Errorf("restarted %v; want %v", got, want)
		}
		if last := in.Actions[len(in.Actions)-1]; last.Target != "orders-2" || last.Result != incident.ResultSkipped {
			t.Errorf("the last action is %+v; want orders-2 skipped", last)
		}
	})
}
