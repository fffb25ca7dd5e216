package guard_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
	"github.com/faultline-lab/faultline/slo/policy"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// request is one that every guard allows.
func request() guard.Request {
	return guard.Request{
		At: now, IncidentID: "me", Cause: incident.ConnectionLeak, Remedy: guard.RestartReplicas,
		Traits: remedy.Traits{Destructive: true, EndsRequests: true}, Budget: &policy.Verdict{Level: policy.Free, Reason: "all is left"},
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

// row is a question to one guard, and its answer.
type row struct {
	guard, name string
	change      func(*guard.Request)
	allowed     bool
	liftable    bool // a refusal that time may lift
}

func judge(t *testing.T, rows []row) {
	for _, test := range rows {
		t.Run(test.guard+" "+test.name, func(t *testing.T) {
			r := request()
			test.change(&r)
			i := slices.IndexFunc(guard.Rules(), func(rule guard.Rule) bool { return rule.Name == test.guard })
			if i < 0 {
				t.Fatalf("there is no guard %s", test.guard)
			}
			a := guard.Rules()[i].Check(r)
			if a.Allowed != test.allowed || a.Reason == "" {
				t.Errorf("allowed %v: %q; want %v", a.Allowed, a.Reason, test.allowed)
			}
			if liftable := a.Soon || !a.Until.IsZero(); !a.Allowed && liftable != test.liftable {
				t.Errorf("liftable %v (soon %v, until %s); want %v", liftable, a.Soon, a.Until, test.liftable)
			}
			if strings.Contains(a.Reason, "%!") {
				t.Errorf("the reason is not a sentence: %s", a.Reason)
			}
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
		{"what the error budget and the healer's own damage refuse as well", func(r *guard.Request) {
			r.Budget, r.Damage = &policy.Verdict{Level: policy.Freeze}, 1
		}, true},
		{"what the error budget alone refuses", func(r *guard.Request) {
			r.Limits.Autonomy, r.Budget = guard.Act, &policy.Verdict{Level: policy.Freeze}
		}, true},
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

func TestTheLadderGoesOnWhereOnlyThisRemedyIsRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*guard.Request)
		next   bool
	}{
		{"not where all is allowed", func(*guard.Request) {}, false},
		{"where it does harm", func(r *guard.Request) { r.Remedy = guard.WaitLonger }, true},
		{"where the database server has no room for it", func(r *guard.Request) { scaleOut(r); r.Room.Sessions = 37 }, true},
		{"where nobody knows what room there is", func(r *guard.Request) { scaleOut(r); r.Room = nil }, true},
		{"not where it does harm and all is switched off", func(r *guard.Request) {
			r.Remedy, r.Switch = guard.WaitLonger, guard.SwitchOn
		}, false},
		{"not where it was tried a moment ago", func(r *guard.Request) {
			r.Effects = []incident.Effect{effect("other", "orders-1", incident.ResultDone, time.Minute)}
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := request()
			test.change(&r)
			if d := guard.Ask(r); d.NextRung != test.next {
				t.Errorf("next rung %v, allowed %v: %s", d.NextRung, d.Allowed, d.Reason)
			}
		})
	}
}

func TestWhatAPersonApprovedIsDoneUnlessNothingMayBe(t *testing.T) {
	r := request()
	r.Limits.Autonomy, r.Limits.AskFirst = guard.Approve, true
	r.Budget, r.Damage, r.Approved = &policy.Verdict{Level: policy.Freeze}, 1, "ada"
	if d := guard.Ask(r); !d.Allowed || d.Withheld {
		t.Errorf("ada's approval does not count: %s", d.Reason)
	}
	r.Limits.Autonomy = guard.Observe
	if d := guard.Ask(r); d.Allowed {
		t.Error("at observe an approval makes the healer act")
	}
	r.Limits.Autonomy, r.Switch = guard.Approve, guard.SwitchOn
	if d := guard.Ask(r); d.Allowed || d.Withheld {
		t.Error("an approval lifts the kill switch")
	}
}

func TestEveryGuardHasAPage(t *testing.T) {
	for _, rule := range guard.Rules() {
		if _, err := os.Stat(filepath.Join("..", "..", "docs", "guards", rule.Name+".md")); err != nil {
			t.Errorf("guard %s: %v", rule.Name, err)
		}
	}
}
