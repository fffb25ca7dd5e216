package guard_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// request is one that every guard allows.
func request() guard.Request {
	return guard.Request{
		At: now, IncidentID: "me", Cause: incident.ConnectionLeak, Remedy: guard.RestartReplicas,
		Target: incident.Target{Kind: incident.ReplicaTarget, Workload: "orders", Name: "orders-1", Is: "a", State: workload.Ready},
		Workload: &workload.Workload{
			Name: "orders", Labels: map[string]string{workload.OptInLabel: "enabled"}, Desired: 2,
			Replicas: []workload.Replica{{ID: "orders-1", State: workload.Ready}, {ID: "orders-2", State: workload.Ready}},
		},
		Failing: []string{"orders-1"}, Effects: []incident.Effect{}, Leases: []incident.Lease{}, Switch: guard.SwitchOff,
		Limits: guard.Defaults(guard.Act),
	}
}

func effect(id, replica, result string, ago time.Duration) incident.Effect {
	return incident.Effect{
		IncidentID: id, Remedy: guard.RestartReplicas, Cause: incident.ConnectionLeak, Workload: "orders", Replica: replica,
		StartedAt: now.Add(-ago), Result: result,
	}
}

func many(n int, ago time.Duration) []incident.Effect {
	var all []incident.Effect
	for i := range n {
		e := effect("i"+string(rune('a'+i)), "inventory-1", incident.ResultDone, ago)
		e.Workload = "inventory"
		all = append(all, e)
	}
	return all
}

func repeated(n int, ago time.Duration) []incident.Effect {
	all := many(n, ago)
	for i := range all {
		all[i].Workload, all[i].Replica = "orders", "orders-2"
	}
	return all
}

func TestGuards(t *testing.T) {
	for _, test := range []struct {
		guard, name string
		change      func(*guard.Request)
		allowed     bool
		liftable    bool // a refusal that time may lift
	}{
		{"kill-switch", "allows with the switch off", func(*guard.Request) {}, true, false},
		{"kill-switch", "refuses with the switch on", func(r *guard.Request) { r.Switch = guard.SwitchOn }, false, true},
		{"kill-switch", "refuses when the switch cannot be read", func(r *guard.Request) { r.Switch = guard.SwitchUnknown }, false, true},

		{"opt-in", "refuses without the label", func(r *guard.Request) { r.Workload.Labels = nil }, false, false},
		{"opt-in", "refuses another value than enabled", func(r *guard.Request) {
			r.Workload.Labels = map[string]string{workload.OptInLabel: "true"}
		}, false, false},
		{"opt-in", "refuses when the workload cannot be read", func(r *guard.Request) { r.Workload = nil }, false, true},
		{"opt-in", "refuses an empty target: it means none, never all", func(r *guard.Request) { r.Target.Name = "" }, false, true},
		{"opt-in", "refuses the label of another workload", func(r *guard.Request) { r.Workload.Name = "payments" }, false, false},

		{"harm-list", "allows a restart in a connection leak", func(*guard.Request) {}, true, false},
		{"harm-list", "refuses to scale out in a connection leak", func(r *guard.Request) { r.Remedy = guard.ScaleOut }, false, false},
		{"harm-list", "refuses to end backends in a connection leak", func(r *guard.Request) { r.Remedy = guard.EndBackends }, false, false},
		{"harm-list", "refuses to wait longer in a connection leak", func(r *guard.Request) { r.Remedy = guard.WaitLonger }, false, false},
		{"harm-list", "refuses without a diagnosis", func(r *guard.Request) { r.Cause = incident.Inconclusive }, false, false},

		{"one-in-flight", "allows its own lease", func(r *guard.Request) {
			r.Leases = []incident.Lease{{Target: "orders", Holder: "me", ExpiresAt: now.Add(time.Minute)}}
		}, true, false},
		{"one-in-flight", "refuses while another incident acts", func(r *guard.Request) {
			r.Leases = []incident.Lease{{Target: "orders", Holder: "you", ExpiresAt: now.Add(time.Minute)}}
		}, false, true},
		{"one-in-flight", "allows after the lease of a dead healer expired", func(r *guard.Request) {
			r.Leases = []incident.Lease{{Target: "orders", Holder: "you", ExpiresAt: now}}
		}, true, false},
		{"one-in-flight", "refuses when the leases cannot be read", func(r *guard.Request) { r.Leases = nil }, false, true},

		{"global-in-flight", "allows one other", func(r *guard.Request) {
			r.Leases = []incident.Lease{{Target: "a", Holder: "x", ExpiresAt: now.Add(1)}}
		}, true, false},
		{"global-in-flight", "refuses beside two others", func(r *guard.Request) {
			r.Leases = []incident.Lease{{Target: "a", Holder: "x", ExpiresAt: now.Add(1)}, {Target: "b", Holder: "y", ExpiresAt: now.Add(1)}}
		}, false, true},
		{"global-in-flight", "refuses when the leases cannot be read", func(r *guard.Request) { r.Leases = nil }, false, true},

		{"actions-per-hour", "allows the sixth", func(r *guard.Request) { r.Effects = many(5, time.Minute) }, true, false},
		{"actions-per-hour", "refuses the seventh", func(r *guard.Request) { r.Effects = many(6, time.Minute) }, false, true},
		{"actions-per-hour", "forgets after an hour", func(r *guard.Request) { r.Effects = many(6, time.Hour) }, true, false},
		{"actions-per-hour", "counts the restarts of one rolling restart as one", func(r *guard.Request) {
			for range 10 {
				r.Effects = append(r.Effects, effect("other", "orders-2", incident.ResultDone, time.Minute))
			}
		}, true, false},
		{"actions-per-hour", "refuses when the past cannot be read", func(r *guard.Request) { r.Effects = nil }, false, true},

		{"cooldown", "refuses soon after a restart that worked", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-1", incident.ResultDone, time.Minute)}
		}, false, true},
		{"cooldown", "refuses soon after one that failed", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-1", incident.ResultFailed, time.Minute)}
		}, false, true},
		{"cooldown", "refuses soon after one whose end nobody knows", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-1", "", time.Minute)}
		}, false, true},
		{"cooldown", "allows after one that was skipped", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-1", incident.ResultSkipped, time.Minute)}
		}, true, false},
		{"cooldown", "allows the other replica of the same rolling restart", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("me", "orders-2", incident.ResultDone, time.Second)}
		}, true, false},
		{"cooldown", "refuses what took the place of the one that was restarted", func(r *guard.Request) {
			e := effect("other", "orders-0", incident.ResultDone, time.Minute)
			e.ReplacedBy = []string{"orders-1"}
			r.Effects = []incident.Effect{e}
		}, false, true},
		{"cooldown", "allows one that took no place of another", func(r *guard.Request) {
			e := effect("other", "orders-0", incident.ResultDone, time.Minute)
			e.ReplacedBy = []string{"orders-2"}
			r.Effects = []incident.Effect{e}
		}, true, false},
		{"cooldown", "refuses where what took the place is gone too: this may be what took the place after it", func(r *guard.Request) {
			e := effect("other", "orders-a", incident.ResultDone, time.Minute)
			e.ReplacedBy = []string{"orders-b"}
			r.Effects = []incident.Effect{e}
		}, false, true},
		{"cooldown", "refuses where a restart failed and what it acted on is gone: this may be what took its place", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-0", incident.ResultFailed, time.Minute)}
		}, false, true},
		{"cooldown", "allows where a restart of another one failed that is still there", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-2", incident.ResultFailed, time.Minute)}
		}, true, false},
		{"cooldown", "allows after five minutes", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-1", incident.ResultDone, 5*time.Minute)}
		}, true, false},
		{"cooldown", "refuses when the past cannot be read", func(r *guard.Request) { r.Effects = nil }, false, true},

		{"repeats", "allows the fourth heal of a kind", func(r *guard.Request) { r.Effects = repeated(3, 2*time.Hour) }, true, false},
		{"repeats", "refuses the fifth, effective or not", func(r *guard.Request) { r.Effects = repeated(4, 2*time.Hour) }, false, false},
		{"repeats", "forgets after three hours", func(r *guard.Request) { r.Effects = repeated(4, 3*time.Hour) }, true, false},
		{"repeats", "refuses when the past cannot be read", func(r *guard.Request) { r.Effects = nil }, false, true},

		{"healthy-floor", "allows a failing replica even when no other serves", func(r *guard.Request) {
			r.Failing = []string{"orders-1", "orders-2"}
		}, true, false},
		{"healthy-floor", "refuses a serving replica when no other serves", func(r *guard.Request) {
			r.Failing = []string{"orders-2"}
		}, false, true},
		{"healthy-floor", "allows a serving replica above the floor", func(r *guard.Request) { r.Failing = nil }, true, false},
		{"healthy-floor", "refuses while another replica is stopping", func(r *guard.Request) {
			r.Workload.Replicas[1].State = workload.Stopping
		}, false, true},
		{"healthy-floor", "refuses while another replica is starting", func(r *guard.Request) {
			r.Workload.Replicas[1].State = workload.Starting
		}, false, true},
		{"healthy-floor", "does not count a crashed replica as serving", func(r *guard.Request) {
			r.Failing = nil
			r.Workload.Replicas[1].State = workload.Crashed
		}, false, true},
		{"autonomy", "allows everything at act", func(*guard.Request) {}, true, false},
		{"autonomy", "refuses a restart at approve: it cannot be taken back", func(r *guard.Request) { r.Limits.Autonomy = guard.Approve }, false, false},
		{"autonomy", "allows at approve what can be taken back", func(r *guard.Request) {
			r.Limits.Autonomy, r.Remedy = guard.Approve, guard.ScaleOut
		}, true, false},
		{"autonomy", "refuses at approve a remedy that it does not know", func(r *guard.Request) {
			r.Limits.Autonomy, r.Remedy = guard.Approve, "exorcism"
		}, false, false},
		{"autonomy", "refuses at observe even what can be taken back", func(r *guard.Request) {
			r.Limits.Autonomy, r.Remedy = guard.Observe, guard.ScaleOut
		}, false, false},
		{"autonomy", "refuses a level that it does not know", func(r *guard.Request) { r.Limits.Autonomy = "full" }, false, false},
		{"autonomy", "refuses when no level was given", func(r *guard.Request) { r.Limits.Autonomy = "" }, false, false},

		{"healthy-floor", "refuses when the replicas cannot be read", func(r *guard.Request) { r.Workload = nil }, false, true},
	} {
		t.Run(test.guard+" "+test.name, func(t *testing.T) {
			r := request()
			test.change(&r)
			for _, rule := range guard.Rules() {
				if rule.Name != test.guard {
					continue
				}
				a := rule.Check(r)
				if a.Allowed != test.allowed || a.Reason == "" {
					t.Errorf("allowed %v: %q; want %v", a.Allowed, a.Reason, test.allowed)
				}
				if liftable := a.Soon || !a.Until.IsZero(); !a.Allowed && liftable != test.liftable {
					t.Errorf("liftable %v (soon %v, until %s); want %v", liftable, a.Soon, a.Until, test.liftable)
				}
				return
			}
			t.Fatalf("there is no guard %s", test.guard)
		})
	}
}

func TestARequestAboutWhichNothingIsKnownIsRefusedByAlmostEveryGuard(t *testing.T) {
	d := guard.Ask(guard.Request{At: now})
	if d.Allowed || len(d.Verdicts) != len(guard.Rules()) {
		t.Errorf("allowed %v with %d verdicts of %d guards", d.Allowed, len(d.Verdicts), len(guard.Rules()))
	}
	for _, v := range d.Verdicts {
		if v.Allowed {
			t.Errorf("%s allows what it knows nothing about: %s", v.Guard, v.Reason)
		}
	}
}

func TestAllVerdictsAreKeptAndARefusalThatTimeCannotLiftDecides(t *testing.T) {
	r := request()
	if d := guard.Ask(r); !d.Allowed || len(d.Verdicts) != len(guard.Rules()) {
		t.Errorf("a request that every guard allows: %+v", d)
	}
	r.Switch = guard.SwitchOn
	if d := guard.Ask(r); d.Allowed || !d.Soon || len(d.Verdicts) != len(guard.Rules()) {
		t.Errorf("the kill switch alone: %+v", d)
	}
	r.Workload.Labels = nil
	if d := guard.Ask(r); d.Allowed || d.Soon || !d.Until.IsZero() {
		t.Errorf("the kill switch and no opt-in: %+v; want no hope", d)
	}
}

func TestWhatOnlyAutonomyRefusesIsWithheld(t *testing.T) {
	for _, test := range []struct {
		name     string
		change   func(*guard.Request)
		withheld bool
	}{
		{"not what is allowed", func(r *guard.Request) { r.Limits.Autonomy = guard.Act }, false},
		{"what every other guard allows", func(*guard.Request) {}, true},
		{"not what another guard refuses too", func(r *guard.Request) { r.Workload.Labels = nil }, false},
		{"not what another guard refuses for now", func(r *guard.Request) { r.Switch = guard.SwitchOn }, false},
		{"not what another guard alone refuses", func(r *guard.Request) {
			r.Switch, r.Limits.Autonomy = guard.SwitchOn, guard.Act
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := request()
			r.Limits.Autonomy = guard.Observe
			test.change(&r)
			if d := guard.Ask(r); d.Withheld != test.withheld || len(d.Verdicts) != len(guard.Rules()) {
				t.Errorf("withheld %v with %d verdicts: %s", d.Withheld, len(d.Verdicts), d.Reason)
			}
		})
	}
}

func TestEveryGuardHasAPage(t *testing.T) {
	for _, rule := range guard.Rules() {
		if _, err := os.Stat(filepath.Join("..", "..", "docs", "guards", rule.Name+".md")); err != nil {
			t.Errorf("guard %s: %v", rule.Name, err)
		}
	}
}
