package engine_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// story is what one scenario must come to.
type story struct {
	name    string
	setup   func(*clinic)
	play    func(*clinic)
	outcome incident.Outcome
	cause   incident.Cause
	// restarted is how often each replica was restarted; nil: none at all.
	restarted map[string]int
	reason    string // a part of the reason
}

func TestAnIncident(t *testing.T) {
	for _, s := range []story{
		{
			name:    "heals both replicas when both leak",
			play:    func(c *clinic) { leakThenAlert(c, 2*time.Second, "orders-1", "orders-2") },
			outcome: incident.Recovered, cause: incident.ConnectionLeak,
			restarted: map[string]int{"orders-1": 1, "orders-2": 1},
		},
		{
			name:    "restarts only the replica that leaks",
			play:    func(c *clinic) { leakThenAlert(c, 2*time.Second, "orders-2") },
			outcome: incident.Recovered, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-2": 1},
		},
		{
			name:    "looks again when the backends have not been idle for long enough yet",
			play:    func(c *clinic) { leakThenAlert(c, 700*time.Millisecond, "orders-1") },
			outcome: incident.Recovered, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1},
		},
		{
			name: "heals a replica that falls ill while the other is being restarted",
			play: func(c *clinic) {
				leakThenAlert(c, 2*time.Second, "orders-1")
				time.Sleep(600 * time.Millisecond)
				c.world.leak("orders-2")
			},
			outcome: incident.Recovered, cause: incident.ConnectionLeak,
			restarted: map[string]int{"orders-1": 1, "orders-2": 1},
		},
		{
			name: "heals a replica that falls ill within the stabilisation hold, with the same rung",
			play: func(c *clinic) {
				leakThenAlert(c, 2*time.Second, "orders-1")
				time.Sleep(8 * time.Second)
				c.world.leak("orders-2")
			},
			outcome: incident.Recovered, cause: incident.ConnectionLeak,
			restarted: map[string]int{"orders-1": 1, "orders-2": 1},
		},
		{
			name: "starts from an SLO alert of the edge and finds the leak behind it",
			play: func(c *clinic) {
				c.world.leak("orders-1")
				time.Sleep(2 * time.Second)
				c.alert("CheckoutErrorBudgetBurn", "storefront")
			},
			outcome: incident.Recovered, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1},
		},
		{
			name: "takes a relapse to the next rung, and to a person when the ladder has none",
			setup: func(c *clinic) {
				c.world.onReady = func(_ string, l *life) { l.leaked = l.ready.Add(6 * time.Second) }
			},
			play:    func(c *clinic) { leakThenAlert(c, 2*time.Second, "orders-1") },
			outcome: incident.HandedOver, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1},
			reason: "ladder for connection-leak is exhausted",
		},
		{
			name:    "hands a busy pool over once the picture is whole, and touches nothing",
			setup:   func(c *clinic) { c.world.busy["orders-1"], c.world.outside = true, true },
			play:    func(c *clinic) { c.alert("ConnectionPoolExhausted", "orders") },
			outcome: incident.HandedOver, cause: incident.Inconclusive, reason: "gatherings)",
		},
		{
			name:    "closes a busy pool as harmless while the edge is good",
			setup:   func(c *clinic) { c.world.busy["orders-1"] = true },
			play:    func(c *clinic) { c.alert("ConnectionPoolExhausted", "orders") },
			outcome: incident.Harmless, cause: incident.Inconclusive, reason: "nothing was done",
		},
		{
			name:    "does nothing when the symptom is gone before the first look",
			play:    func(c *clinic) { c.alert("ConnectionPoolExhausted", "orders") },
			outcome: incident.SelfRecovered, cause: incident.Inconclusive, reason: "nothing was done",
		},
		{
			name: "does nothing when somebody else restarted the replica first (409)",
			play: func(c *clinic) {
				c.world.conflict["orders-1"] = true
				leakThenAlert(c, 2*time.Second, "orders-1")
			},
			outcome: incident.SelfRecovered, cause: incident.ConnectionLeak,
		},
		{
			name:    "never acts while Prometheus is unknown",
			setup:   func(c *clinic) { c.world.prometheus = errGone },
			play:    func(c *clinic) { leakThenAlert(c, 2*time.Second, "orders-1") },
			outcome: incident.HandedOver, cause: incident.Inconclusive,
		},
		{
			name:    "never acts while Postgres is unknown",
			setup:   func(c *clinic) { c.world.postgres = errGone },
			play:    func(c *clinic) { leakThenAlert(c, 2*time.Second, "orders-1") },
			outcome: incident.HandedOver, cause: incident.Inconclusive, reason: "postgres is unknown",
		},
		{
			name:    "hands over when the workload is not opted in",
			setup:   func(c *clinic) { c.world.optIn = false },
			play:    func(c *clinic) { leakThenAlert(c, 2*time.Second, "orders-1") },
			outcome: incident.HandedOver, cause: incident.ConnectionLeak, reason: "opt-in",
		},
		{
			name:    "waits with the kill switch on, and hands over when it stays on",
			setup:   func(c *clinic) { c.kill = func() guard.Switch { return guard.SwitchOn } },
			play:    func(c *clinic) { leakThenAlert(c, 2*time.Second, "orders-1") },
			outcome: incident.HandedOver, cause: incident.ConnectionLeak, reason: "kill-switch",
		},
		{
			name: "acts when a refusal is lifted in time",
			setup: func(c *clinic) {
				lifted := time.Now().Add(22 * time.Second)
				c.kill = func() guard.Switch {
					if time.Now().After(lifted) {
						return guard.SwitchOff
					}
					return guard.SwitchOn
				}
			},
			play:    func(c *clinic) { leakThenAlert(c, 2*time.Second, "orders-1") },
			outcome: incident.Recovered, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1},
		},
		{
			name: "hands over when the edge stays bad after the restart",
			play: func(c *clinic) {
				c.world.outside = true
				leakThenAlert(c, 2*time.Second, "orders-1")
			},
			outcome: incident.HandedOver, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1},
			reason: "no further rung",
		},
		{
			name: "does not believe in a heal that nobody can read at the edge",
			play: func(c *clinic) {
				c.world.edgeDown = true
				leakThenAlert(c, 2*time.Second, "orders-1")
			},
			outcome: incident.HandedOver, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1},
			reason: "no further rung",
		},
	} {
		t.Run(s.name, func(t *testing.T) {
			scenario(t, s.setup, func(t *testing.T, c *clinic) {
				s.play(c)
				in := only(t, c.settle())
				check(t, c, s, in)
				if report := replayed(t, c, in, c.book, false); !report.Same || len(report.Rounds) == 0 {
					t.Errorf("a replay of the record: %s", report)
				}
			})
		})
	}
}

func check(t *testing.T, c *clinic, s story, in incident.Incident) {
	t.Helper()
	if in.Outcome != s.outcome || in.Diagnosis.Cause != s.cause || !strings.Contains(in.Reason, s.reason) {
		t.Errorf("outcome %s, cause %s, reason %q; want %s, %s, ...%s...", in.Outcome, in.Diagnosis.Cause, in.Reason, s.outcome,
			s.cause, s.reason)
	}
	if got := c.world.restarted(); !maps.Equal(got, s.restarted) {
		t.Errorf("restarted %v; want %v", got, s.restarted)
	}
	ordered(t, in)
	if t.Failed() {
		entries, err := c.store.Audit(t.Context(), in.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			t.Log(e.At.Format("15:04:05.000"), e.Kind, e.Text)
		}
	}
}

// ordered checks that the stage times never go backwards.
func ordered(t *testing.T, in incident.Incident) {
	t.Helper()
	s := in.Stages
	var last time.Time
	for i, at := range []*time.Time{
		s.AlertStartsAt, s.WebhookReceived, s.Diagnosed, s.Decided, s.ActionStarted, s.ActionFinished, s.Verified, s.Ended,
	} {
		if at == nil {
			continue
		}
		if at.Before(last) {
			t.Errorf("stage %d at %s comes before the one before it (%s)", i, at, last)
		}
		last = *at
	}
}

// leakThenAlert makes replicas leak and lets the symptom alert arrive after a while.
func leakThenAlert(c *clinic, after time.Duration, ids ...string) {
	c.world.leak(ids...)
	time.Sleep(after)
	c.alert("ConnectionPoolExhausted", "orders")
}
