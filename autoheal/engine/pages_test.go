package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// flood delivers so many alerts in one payload, first those of the storefront and then those of orders.
func (c *clinic) flood(n int) {
	c.t.Helper()
	now := time.Now()
	d := store.Delivery{ReceivedAt: now}
	for i := range n {
		workload := "storefront"
		if i >= n/2 {
			workload = "orders"
		}
		d.Alerts = append(d.Alerts, incident.Alert{
			Fingerprint: fmt.Sprintf("%06d", i), StartsAt: now, Status: "firing", ReceivedAt: now,
			Labels: map[string]string{"alertname": "ConnectionPoolExhausted", "workload": workload},
		})
	}
	c.deliver(d)
}

func TestManyAlertsAreTakenInPageByPageAndAreOneIncident(t *testing.T) {
	for name, n := range map[string]int{
		"a page and no more":             500,
		"pages, the last of them broken": 1301,
		"more than one look takes":       20_001,
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, nil, func(t *testing.T, c *clinic) {
				c.world.leak("orders-1")
				time.Sleep(2 * time.Second)
				c.flood(n)
				in := only(t, c.settle())
				if len(in.Alerts) != n || len(in.Workloads) != 2 || in.Workload != "orders" || in.Outcome != incident.Recovered {
					t.Errorf("%d alerts of %v, root %s, outcome %s (%s); want %d of orders and storefront, orders, recovered",
						len(in.Alerts), in.Workloads, in.Workload, in.Outcome, in.Reason, n)
				}
			})
		})
	}
}

func TestManyAlertsThatGoOnAreLookedAtAgainAsOneIncident(t *testing.T) {
	scenario(t, func(c *clinic) {
		c.kill = func() guard.Switch { return guard.SwitchOn } // so that a person gets it
	}, func(t *testing.T, c *clinic) {
		c.world.leak("orders-1")
		time.Sleep(2 * time.Second)
		const n = 1100
		c.flood(n)
		first := only(t, c.settle())
		if first.Outcome != incident.HandedOver {
			t.Fatalf("outcome %s (%s); want it handed over", first.Outcome, first.Reason)
		}
		time.Sleep(6 * time.Minute)
		all := c.settle()
		if len(all) != 2 || len(all[0].Alerts) != n || len(all[1].Alerts) != n {
			t.Fatalf("there are %d incidents, with %d alerts in the first; want two, each with all %d", len(all), len(all[0].Alerts), n)
		}
		if waiting, err := c.store.Waiting(t.Context(), 1); err != nil || len(waiting) > 0 {
			t.Errorf("%d alerts wait, error %v", len(waiting), err)
		}
	})
}
