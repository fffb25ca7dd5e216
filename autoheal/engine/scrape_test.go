package engine_test

import (
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// At 5 s between two scrapes the healer sees the pools later and not worse: what it names and what it leaves alone is the
// same.
func TestAHealWithScrapesOfFiveSeconds(t *testing.T) {
	for _, s := range []story{
		{
			name: "restarts both replicas once, and does not take the picture from before a restart for a relapse",
			play: func(c *clinic) {
				c.world.leak("orders-1", "orders-2")
				nextSample(c)
				c.alert("ConnectionPoolExhausted", "orders")
			},
			outcome: incident.Recovered, cause: incident.ConnectionLeak,
			restarted: map[string]int{"orders-1": 1, "orders-2": 1},
		},
		{
			name: "waits for the sample that shows a leak of which another alert tells earlier",
			play: func(c *clinic) {
				c.world.leak("orders-1")
				time.Sleep(1500 * time.Millisecond)
				c.alert("CheckoutErrorBudgetBurn", "storefront")
			},
			outcome: incident.Recovered, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1},
		},
		{
			name: "leaves a pool alone that was full at the last scrape and has fallen idle since",
			play: func(c *clinic) {
				c.world.work("orders-1")
				nextSample(c)
				nextSample(c)
				c.world.rest("orders-1")
				time.Sleep(1500 * time.Millisecond)
				c.alert("ConnectionPoolExhausted", "orders")
			},
			outcome: incident.SelfRecovered, cause: incident.Inconclusive,
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			scenario(t, func(c *clinic) { c.world.scrape = 5 * time.Second }, func(t *testing.T, c *clinic) {
				s.play(c)
				check(t, c, s, only(t, c.settle()))
			})
		})
	}
}

// nextSample waits until Prometheus has scraped.
func nextSample(c *clinic) {
	now := time.Now()
	time.Sleep(now.Truncate(c.world.scrape).Add(c.world.scrape).Sub(now) + 100*time.Millisecond)
}
