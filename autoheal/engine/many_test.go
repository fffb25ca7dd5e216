package engine_test

import (
	"context"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
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

		time.Sleep(6 * time.Minute) // the alert goes on, the cooldown is over: what was refused is right now
		all = c.settle()
		if len(all) != 3 || all[2].Outcome != incident.Recovered || len(all[2].Alerts) == 0 || len(all[1].Alerts) == 0 {
			t.Fatalf("there are %d incidents, the last of them %s: %s; want a third that recovers, and alerts in both records",
				len(all), all[len(all)-1].Outcome, all[len(all)-1].Reason)
		}
		if got, want := c.world.restarted(), (map[string]int{"orders-1": 2}); !maps.Equal(got, want) {
			t.Errorf("restarted %v; want %v", got, want)
		}
	})
}

func TestAnAlertThatJoinsWhileTheActionFailsDoesNotKeepTheIncidentOpen(t *testing.T) {
	scenario(t, nil, func(t *testing.T, c *clinic) {
		c.world.onReady = func(_ string, l *life) { l.ready = l.ready.Add(time.Hour) } // it does not come up again
		c.world.after = func(string) { c.alert("CheckoutErrorBudgetBurn", "storefront") }
		leakThenAlert(c, 2*time.Second, "orders-1")
		in := only(t, c.settle())
		if in.Outcome != incident.HandedOver || len(in.Alerts) != 2 {
			t.Errorf("outcome %s (%s) with %d alerts; want handed-over with both", in.Outcome, in.Reason, len(in.Alerts))
		}
	})
}

func TestAResumedIntentAsksTheGuardsAgain(t *testing.T) {
	var thrown atomic.Bool
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(100 * time.Second)
		c := newClinic(t, newWorld("orders-1", "orders-2"))
		defer c.close()
		c.kill = func() guard.Switch {
			if thrown.Load() {
				return guard.SwitchOn
			}
			return guard.SwitchOff
		}
		ctx, die := context.WithCancel(context.Background())
		defer die()
		// It dies with its intent on disk, before the request gets out; because of that, somebody throws the switch.
		c.world.before = func(string) { thrown.Store(true); die() }
		c.start(ctx)
		time.Sleep(10 * time.Second)
		leakThenAlert(c, 2*time.Second, "orders-1")
		<-ctx.Done()
		c.stop()
		c.world.before = nil
		c.start(context.Background())
		in := only(t, c.settle())
		if got := c.world.restarted(); len(got) != 0 {
			t.Errorf("restarted %v although the kill switch had been thrown", got)
		}
		if in.Outcome != incident.HandedOver || in.Actions[0].Result != incident.ResultSkipped {
			t.Errorf("outcome %s (%s), actions %+v; want handed over, and the intent skipped", in.Outcome, in.Reason, in.Actions)
		}
	})
}

// An intent whose effect nobody can judge any more must not keep the incident open, nor be carried out blindly.
func TestAResumedIntentEndsWhateverBecameOfItsReplica(t *testing.T) {
	for name, tc := range map[string]struct {
		meanwhile func(*world)
		result    string
	}{
		"the replica was scaled away":      {func(w *world) { w.order = []string{"orders-2"} }, incident.ResultSkipped},
		"the workload list cannot be read": {func(w *world) { w.unlisted = true }, incident.ResultFailed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(100 * time.Second)
				c := newClinic(t, newWorld("orders-1", "orders-2"))
				defer c.close()
				ctx, die := context.WithCancel(context.Background())
				defer die()
				c.world.before = func(string) { die() }
				c.start(ctx)
				time.Sleep(10 * time.Second)
				leakThenAlert(c, 2*time.Second, "orders-1")
				<-ctx.Done()
				c.stop()
				c.world.before = nil
				tc.meanwhile(c.world)
				c.start(context.Background())
				in := only(t, c.settle())
				if got := c.world.restarted(); len(got) != 0 {
					t.Errorf("restarted %v", got)
				}
				if in.Actions[0].Result != tc.result {
					t.Errorf("the intent ended as %s (%s), want %s; %s: %s", in.Actions[0].Result, in.Actions[0].Detail, tc.result, in.Outcome, in.Reason)
				}
			})
		})
	}
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
	scenario(t, nil, func(t *testing.T, c *clinic) {
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

// budget puts off every restart at first, as a disruption budget does.
type budget struct {
	*world
	refusals int
	asked    int
}

func (b *budget) Restart(ctx context.Context, name, id, start string) error {
	if b.asked++; b.asked <= b.refusals {
		return workload.ErrNotNow
	}
	return b.world.Restart(ctx, name, id, start)
}

func TestTheGuardsAreAskedAgainBeforeARequestThatABudgetPutOffIsRepeated(t *testing.T) {
	for name, tc := range map[string]struct {
		thrown   bool // after the first refusal
		restarts int
		outcome  incident.Outcome
	}{
		"the kill switch is thrown in between": {true, 0, incident.HandedOver},
		"nothing has changed":                  {false, 1, incident.Recovered},
	} {
		t.Run(name, func(t *testing.T) {
			var closed *budget
			scenario(t, func(c *clinic) {
				closed = &budget{world: c.world, refusals: 3}
				c.kill = func() guard.Switch {
					if tc.thrown && closed.asked > 0 {
						return guard.SwitchOn
					}
					return guard.SwitchOff
				}
				c.adjust = func(cfg *engine.Config) {
					restart, err := remedy.NewRestartReplicas(closed)
					if err != nil {
						t.Fatal(err)
					}
					cfg.Remedies = []remedy.Remedy{restart}
				}
			}, func(t *testing.T, c *clinic) {
				leakThenAlert(c, 2*time.Second, "orders-1")
				in := only(t, c.settle())
				if got := c.world.restarted(); len(got) != tc.restarts || in.Outcome != tc.outcome {
					t.Errorf("restarted %v, outcome %s (%s); want %d and %s", got, in.Outcome, in.Reason, tc.restarts, tc.outcome)
				}
				first := in.Actions[0]
				if tc.thrown && (closed.asked != 1 || first.Result != incident.ResultSkipped || !strings.Contains(first.Detail, "kill-switch")) {
					t.Errorf("asked %d times, action %+v; want one request, and the kill switch as the reason", closed.asked, first)
				}
			})
		})
	}
}

func TestAnEngineThatIsNotToldWhatStopsItDoesNotStart(t *testing.T) {
	c := newClinic(t, newWorld("orders-1", "orders-2"))
	defer c.close()
	for want, forget := range map[string]func(*engine.Config){
		"no kill switch was given":     func(cfg *engine.Config) { cfg.Switch = nil },
		"how much the healer may do":   func(cfg *engine.Config) { cfg.Limits.Autonomy = "" },
		"one of act, approve, observe": func(cfg *engine.Config) { cfg.Limits = guard.Limits{} },
	} {
		cfg := c.config()
		forget(&cfg)
		if _, err := engine.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}
