package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// The whole pipeline runs: evidence, diagnosis, every guard's verdict. Only the last step is left to people, who read what
// it would have been.
func TestAHealerThatObservesSaysWhatItWouldHaveDoneAndCallsNobody(t *testing.T) {
	scenario(t, func(c *clinic) {
		c.limits.Autonomy = guard.Observe
		c.world.before = func(replica string) { t.Errorf("a restart of %s was asked for", replica) }
	}, func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1", "orders-2")
		in := only(t, c.settle())
		check(t, c, story{
			outcome: incident.HandedOver, cause: incident.ConnectionLeak,
			reason: "the healer would have done restart-replicas on orders-1, orders-2",
		}, in)
		if len(in.Evidence) == 0 || len(in.Actions) != 0 || in.Stages.Decided != nil {
			t.Errorf("%d facts, actions %+v, decided %v", len(in.Evidence), in.Actions, in.Stages.Decided)
		}
		verdicts(t, in)
		proposed(t, c, in)
		leases, err := c.store.Leases(t.Context(), time.Now())
		if err != nil || len(leases) != 0 {
			t.Errorf("leases %+v, error %v", leases, err)
		}
	})
}

// verdicts checks that every guard was asked about both replicas, and that autonomy alone said no.
func verdicts(t *testing.T, in incident.Incident) {
	t.Helper()
	if want := 2 * len(guard.Rules()); len(in.Verdicts) != want {
		t.Errorf("%d verdicts; want %d", len(in.Verdicts), want)
	}
	for _, v := range in.Verdicts {
		if v.Allowed == (v.Guard == "autonomy") {
			t.Errorf("%s on %s: allowed %v: %s", v.Guard, v.Target, v.Allowed, v.Reason)
		}
	}
}

// proposed checks that the audit holds the plan, target by target.
func proposed(t *testing.T, c *clinic, in incident.Incident) {
	t.Helper()
	entries, err := c.store.Audit(t.Context(), in.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"orders-1 of orders (start_id=orders-1-start-0", "orders-2 of orders (start_id=orders-2-start-1"} {
		if !slices.ContainsFunc(entries, func(e incident.Entry) bool {
			return strings.HasPrefix(e.Text, "would have: restart-replicas on "+target)
		}) {
			t.Errorf("the audit does not say what would have been done to %s", target)
		}
	}
}

// What another guard refuses as well would not have been done, and the record does not say so.
func TestWhatAnotherGuardRefusesWouldNotHaveBeenDone(t *testing.T) {
	scenario(t, func(c *clinic) {
		c.limits.Autonomy = guard.Observe
		c.world.optIn = false
	}, func(t *testing.T, c *clinic) {
		leakThenAlert(c, 2*time.Second, "orders-1")
		in := only(t, c.settle())
		check(t, c, story{outcome: incident.HandedOver, cause: incident.ConnectionLeak, reason: "acting is refused: opt-in"}, in)
	})
}

// A healer that may act dies after it wrote its intent down and before anything happened; the one that comes after it may
// only observe, and lets go.
func TestAnIntentIsNotCarriedOutByAHealerThatMayOnlyObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(100 * time.Second)
		c := newClinic(t, newWorld("orders-1", "orders-2"))
		defer c.close()
		ctx, kill := context.WithCancel(context.Background())
		defer kill()
		c.world.before = func(string) { kill() }
		c.start(ctx)
		time.Sleep(10 * time.Second)
		leakThenAlert(c, 2*time.Second, "orders-1")
		<-ctx.Done()
		c.stop()
		c.limits.Autonomy = guard.Observe
		c.world.before = func(replica string) { t.Errorf("a restart of %s was asked for", replica) }
		c.start(context.Background())
		in := only(t, c.settle())
		check(t, c, story{
			outcome: incident.HandedOver, cause: incident.ConnectionLeak, reason: "the healer would have done restart-replicas on orders-1",
		}, in)
		if len(in.Actions) != 1 || in.Actions[0].Result != incident.ResultSkipped || !strings.Contains(in.Actions[0].Detail, "autonomy") {
			t.Errorf("the intent came to %+v", in.Actions)
		}
	})
}
