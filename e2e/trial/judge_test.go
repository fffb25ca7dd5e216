package trial

import (
	"testing"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/e2e/record"
)

func act(remedy string, kind incident.TargetKind, target, result string) record.Action {
	return record.Action{Remedy: remedy, Kind: string(kind), Target: target, Result: result}
}

func TestAnActionIsWrongUnlessItIsListedAndHitsWhatTheFaultTouched(t *testing.T) {
	leak := experiment.Experiment{Scope: experiment.Scope{Workload: "orders"}, Expect: experiment.Expect{Right: []string{"restart-replicas"}}}
	release := experiment.Experiment{Scope: leak.Scope, Expect: experiment.Expect{Right: []string{"roll-back", "shift-traffic"}}}
	lock := experiment.Experiment{Scope: experiment.Scope{Workload: "inventory"}, Expect: experiment.Expect{Right: []string{"end-session"}}}
	query := experiment.Experiment{Scope: leak.Scope, Expect: experiment.Expect{Right: []string{"cancel-query"}}}
	control := experiment.Experiment{Scope: leak.Scope}
	for name, tc := range map[string]struct {
		e        experiment.Experiment
		affected []string
		action   record.Action
		wrong    bool
	}{
		"the leaking replica was restarted":        {leak, []string{"orders-1"}, act("restart-replicas", incident.ReplicaTarget, "orders-1", "done"), false},
		"a well replica was restarted":             {leak, []string{"orders-1"}, act("restart-replicas", incident.ReplicaTarget, "orders-2", "done"), true},
		"a well replica was looked at and left":    {leak, []string{"orders-1"}, act("restart-replicas", incident.ReplicaTarget, "orders-2", "skipped"), false},
		"a restart that failed was still right":    {leak, []string{"orders-1"}, act("restart-replicas", incident.ReplicaTarget, "orders-1", "failed"), false},
		"one that has no result yet was done":      {leak, []string{"orders-1"}, act("restart-replicas", incident.ReplicaTarget, "orders-2", ""), true},
		"another remedy on the sick one":           {leak, []string{"orders-1"}, act("scale-out", incident.WorkloadTarget, "orders", "done"), true},
		"the release was rolled back":              {release, []string{"orders-1", "orders-2"}, act("roll-back", incident.WorkloadTarget, "orders", "done"), false},
		"another workload was rolled back":         {release, []string{"orders-1"}, act("roll-back", incident.WorkloadTarget, "inventory", "done"), true},
		"the edge sends customers elsewhere":       {release, []string{"orders-1"}, act("shift-traffic", incident.EdgeTarget, "storefront", "done"), false},
		"the edge took orders for later":           {release, []string{"orders-1"}, act("accept", incident.EdgeTarget, "storefront", "done"), true},
		"the session at the root was ended":        {lock, []string{"stock-count/1a2b"}, act("end-session", incident.SessionsTarget, "stock-count/1a2b", "done"), false},
		"a victim's session was ended":             {lock, []string{"stock-count/1a2b"}, act("end-session", incident.SessionsTarget, "inventory/inventory-1", "done"), true},
		"the query of an affected replica":         {query, []string{"orders-2"}, act("cancel-query", incident.SessionsTarget, "orders/orders-2", "done"), false},
		"the query of a replica that had none":     {query, []string{"orders-2"}, act("cancel-query", incident.SessionsTarget, "orders/orders-1", "done"), true},
		"a look changes nothing, also of controls": {control, nil, act("health-check", incident.WorkloadTarget, "orders", "done"), false},
		"whatever was done to a control":           {control, []string{"orders-1"}, act("restart-replicas", incident.ReplicaTarget, "orders-1", "done"), true},
	} {
		t.Run(name, func(t *testing.T) {
			if wrong := judge([]record.Action{tc.action}, tc.affected, tc.e); (len(wrong) > 0) != tc.wrong {
				t.Errorf("wrong: %+v, want %v", wrong, tc.wrong)
			}
		})
	}
}

func TestWhatWasTakenBackIsAnActionAllTheSame(t *testing.T) {
	undone := taken(incident.Action{
		Remedy: "accept", Kind: incident.EdgeTarget, Target: "storefront", Result: incident.ResultDone,
		Undo: &incident.Undo{State: incident.Undone},
	})
	if undone.Change != "undone" {
		t.Errorf("its change is %q", undone.Change)
	}
	if wrong := judge([]record.Action{undone}, nil, experiment.Experiment{}); len(wrong) != 1 {
		t.Errorf("wrong: %+v, want the action that was taken back", wrong)
	}
}
