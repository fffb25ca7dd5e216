package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/engine"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
)

// forbidden is a remedy that must never be applied.
type forbidden struct {
	t    *testing.T
	name string
}

func (f forbidden) Name() string                                { return f.name }
func (forbidden) Traits() remedy.Traits                         { return remedy.Traits{Destructive: true} }
func (forbidden) Check(remedy.Params) (field string, err error) { return "", nil }

func (forbidden) Targets(seen remedy.Sight, _ remedy.Params) ([]incident.Target, string) {
	return []incident.Target{{Kind: incident.WorkloadTarget, Workload: "orders", Name: "orders", State: "sick"}}, ""
}

func (f forbidden) Apply(context.Context, remedy.Application) remedy.Effect {
	f.t.Errorf("%s was applied", f.name)
	return remedy.Effect{Result: incident.ResultDone}
}

// ladder gives the clinic a playbook with these rungs for a leak, each with what else is said of it, and the remedies for them.
func ladder(t *testing.T, rungs map[string]string, order ...string) func(*clinic) {
	return func(c *clinic) {
		text := "version: 2\ncauses:\n  connection-leak:\n    ladder:\n"
		known := playbook.Known{Causes: incident.Causes(), Harmful: guard.Harmful, Limits: c.limits}
		var more []remedy.Remedy
		for _, name := range order {
			text += "      - remedy: " + name + "\n        timeout: 15s\n        verify: {readings: 3, within: 15s}\n"
			if rungs[name] != "" {
				text += "        guards: " + rungs[name] + "\n"
			}
			if name == remedy.RestartReplicasName {
				known.Remedies = append(known.Remedies, &remedy.RestartReplicas{})
				continue
			}
			known.Remedies = append(known.Remedies, forbidden{t, name})
			more = append(more, forbidden{t, name})
		}
		book, err := playbook.Parse("p.yaml", []byte(text), known)
		if err != nil {
			t.Fatal(err)
		}
		c.book = book
		c.adjust = func(cfg *engine.Config) { cfg.Remedies = append(cfg.Remedies, more...) }
	}
}

// The harm list is asked even though the playbook was let pass with a warning: it is what stands between them.
func TestARemedyThatDoesHarmIsRefusedEvenThoughThePlaybookAsksForIt(t *testing.T) {
	for _, name := range guard.HarmfulFor(incident.ConnectionLeak) {
		t.Run(name, func(t *testing.T) {
			scenario(t, ladder(t, nil, name), func(t *testing.T, c *clinic) {
				if len(c.book.Warnings) != 1 {
					t.Errorf("warnings %v", c.book.Warnings)
				}
				leakThenAlert(c, 2*time.Second, "orders-1")
				in := only(t, c.settle())
				check(t, c, story{outcome: incident.HandedOver, cause: incident.ConnectionLeak}, in)
				audited(t, c, in.ID, name+" on orders: harm-list says no: "+name+" does harm in a connection-leak: "+guard.Harmful(incident.ConnectionLeak, name))
			})
		})
	}
}

func TestTheLadderGoesOnAfterARungThatIsRefusedForWhatItIs(t *testing.T) {
	scenario(t, ladder(t, nil, guard.WaitLonger, remedy.RestartReplicasName), func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1")
		in := only(t, c.settle())
		check(t, c, story{outcome: incident.Recovered, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1}}, in)
		audited(t, c, in.ID, "rung 1, wait-longer, is refused, and the next rung may be right: harm-list: ")
	})
}

func TestARungThatAPersonMustApproveIsAskedForEvenAtAct(t *testing.T) {
	approval := map[string]string{remedy.RestartReplicasName: "{approval: required}"}
	scenario(t, ladder(t, approval, remedy.RestartReplicasName), func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1")
		question := asked(t, c)
		if err := answer(t, c, question, incident.Approved); err != nil {
			t.Fatal(err)
		}
		check(t, c, story{outcome: incident.Recovered, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1}}, only(t, c.settle()))
	})
}

func audited(t *testing.T, c *clinic, id, want string) {
	t.Helper()
	entries, err := c.store.Audit(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, e := range entries {
		all.WriteString(e.Kind + ": " + e.Text + "\n")
	}
	if !strings.Contains(all.String(), want) {
		t.Errorf("the audit has no %q:\n%s", want, all.String())
	}
}

// Five others are in trouble: the leak is plain, and nothing is done about it all the same.
func TestInAStormNothingIsDoneAndPeopleAreTold(t *testing.T) {
	scenario(t, nil, func(t *testing.T, c *clinic) {
		c.world.leak("orders-1")
		time.Sleep(2 * time.Second)
		for _, name := range []string{"mail", "search", "billing", "reviews", "returns"} {
			c.alert("Trouble", name)
		}
		c.alert("ConnectionPoolExhausted", "orders")
		incidents := c.settle()
		if len(incidents) != 6 {
			t.Errorf("%d incidents; want 6", len(incidents))
		}
		for _, in := range incidents {
			if in.State != incident.Escalated {
				t.Errorf("%s ended as %s: %s", in.Workload, in.State, in.Reason)
			}
			if in.Workload == "orders" {
				audited(t, c, in.ID, "restart-replicas on orders-1: storm says no: 5 other incidents are open")
			}
		}
		if again := c.world.restarted(); len(again) > 0 {
			t.Errorf("restarted %v", again)
		}
	})
}

// Whoever does not know what is left must be careful, and a restart of what fails its users is.
func TestABudgetThatCannotBeReadDoesNotKeepTheHealerFromWhatFails(t *testing.T) {
	scenario(t, func(c *clinic) {
		c.adjust = func(cfg *engine.Config) {
			cfg.Budget = func(context.Context) (engine.Budget, error) { return engine.Budget{}, errGone }
		}
	}, func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1")
		in := only(t, c.settle())
		check(t, c, story{outcome: incident.Recovered, cause: incident.ConnectionLeak, restarted: map[string]int{"orders-1": 1}}, in)
		audited(t, c, in.ID, "error-budget says yes: the error budget asks for care (what is left of the error budget could not be read)")
	})
}
