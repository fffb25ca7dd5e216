package remedy

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

func TestShiftingHasTheStandbyForATargetWhereItIsAsleep(t *testing.T) {
	usual := &edge.State{Mode: edge.Normal, Weights: edge.Usual()}
	standby := func(desired int) workload.Workload {
		return workload.Workload{Name: "orders-standby", Desired: desired, Max: 4}
	}
	orders := workload.Workload{Name: "orders", Desired: 2}
	for name, tc := range map[string]struct {
		edge      *edge.State
		workloads []workload.Workload
		params    Params
		want, why string
	}{
		"asleep: as many as the main one has, then the edge": {usual, []workload.Workload{orders, standby(0)}, nil, "orders-standby 0>2, storefront 100:0>0:100", ""},
		"as many as the playbook says, if the owners do":     {usual, []workload.Workload{orders, standby(0)}, Params{ReplicasParam: "9"}, "orders-standby 0>4, storefront 100:0>0:100", ""},
		"awake: the edge alone":                              {usual, []workload.Workload{orders, standby(1)}, nil, "storefront 100:0>0:100", ""},
		"no standby":                                         {usual, []workload.Workload{orders}, nil, "", "orders-standby is not in the workload list"},
		"an edge that does not say":                          {nil, []workload.Workload{orders, standby(1)}, nil, "", "does not say how it spreads"},
		"an edge of two minds":                               {&edge.State{}, []workload.Workload{orders, standby(1)}, nil, "", "differently"},
		"an edge that somebody shifts already": {
			&edge.State{Weights: edge.Weights{Stable: 50, Standby: 50}, WeightsBy: "alice"}, []workload.Workload{orders, standby(1)}, nil, "", "50:50 already, as alice",
		},
	} {
		t.Run(name, func(t *testing.T) {
			seen := seeing(t, incident.BadRelease, tc.workloads...)
			seen.Edge = tc.edge
			targets, why := (&ShiftTraffic{}).Targets(seen, tc.params)
			var got []string
			for _, one := range targets {
				got = append(got, one.Name+" "+one.Is+">"+one.To)
			}
			if strings.Join(got, ", ") != tc.want || !strings.Contains(why, tc.why) {
				t.Errorf("%v, %q; want %s", got, why, tc.want)
			}
		})
	}
}

func TestShiftingAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, f := newGate("storefront-a"), newFleet(0)
		f.Name = "orders-standby"
		shift := &ShiftTraffic{door{edge: g.client(t)}, asControl{f}}
		up := application(incident.WorkloadTarget, "orders-standby", "0", "2")
		over := application(incident.EdgeTarget, "storefront", "100:0", "0:100")
		over.Timeout = time.Second
		if effect := shift.Apply(t.Context(), over); effect.Result != incident.ResultFailed || !strings.Contains(effect.Detail, "no replica of the standby") {
			t.Errorf("without a standby: %+v", effect)
		}
		if effect := shift.Apply(t.Context(), up); effect.Result != incident.ResultDone || f.Desired != 2 {
			t.Fatalf("%+v", effect)
		}
		time.AfterFunc(500*time.Millisecond, func() { g.replicas[0].Standby = 2 }) // the edge notices a little later
		for range 2 {
			if effect := shift.Apply(t.Context(), over); effect.Result != incident.ResultDone || effect.Until == nil {
				t.Fatalf("%+v", effect)
			}
		}
		if now := g.replicas[0].State(); now.Weights != (edge.Weights{Standby: 100}) || g.replicas[0].Changes != 1 {
			t.Errorf("%+v after %d changes", now, g.replicas[0].Changes)
		}
		time.Sleep(15 * time.Second)
		for _, a := range []Application{over, up} {
			if until, err := shift.Renew(t.Context(), a); err != nil || time.Until(until) < 19*time.Second {
				t.Errorf("renewed until %s, error %v", until, err)
			}
		}
		for _, a := range []Application{over, up, over, up} { // a second time changes nothing
			if effect := shift.Undo(t.Context(), a); effect.Result != incident.ResultDone {
				t.Errorf("%+v", effect)
			}
		}
		if now := g.replicas[0].State(); now.Weights != edge.Usual() || f.Desired != 0 || g.replicas[0].Changes != 2 || f.changes != 2 {
			t.Errorf("%+v, %d replicas of the standby", now, f.Desired)
		}
		if _, err := shift.Renew(t.Context(), over); err == nil {
			t.Error("what was taken back was renewed")
		}
	})
}
