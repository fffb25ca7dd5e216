package decide_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/decide"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// can is a remedy of which only the choice of targets matters.
type can struct {
	name    string
	traits  remedy.Traits
	targets []incident.Target
}

func (c can) Name() string                                          { return c.name }
func (c can) Traits() remedy.Traits                                 { return c.traits }
func (c can) Check(remedy.Params) (string, error)                   { return "", nil }
func (can) Apply(context.Context, remedy.Application) remedy.Effect { return remedy.Effect{} }

func (c can) Targets(remedy.Sight, remedy.Params) ([]incident.Target, string) {
	return c.targets, "there is nothing that it could act on"
}

func replica(ids ...string) []incident.Target {
	var targets []incident.Target
	for _, id := range ids {
		targets = append(targets, incident.Target{Kind: incident.ReplicaTarget, Workload: "orders", Name: id})
	}
	return targets
}

var (
	back  = []incident.Target{{Kind: incident.WorkloadTarget, Workload: "orders", Name: "orders", Is: "v2", To: "v1"}}
	ended = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func TestTheChoice(t *testing.T) {
	done := func(remedy, target string, replacedBy ...string) incident.Action {
		return incident.Action{
			Kind: incident.ReplicaTarget, Remedy: remedy, Target: target, Result: incident.ResultDone, ReplacedBy: replacedBy, FinishedAt: &ended,
		}
	}
	for name, tc := range map[string]struct {
		restart, rollback []incident.Target
		actions           []incident.Action
		unlisted          bool
		missing           bool // the sick replica is not on the list
		rung              int  // asked for
		want              string
		targets           string
		passed            int
	}{
		"is the first rung": {restart: replica("orders-1"), rollback: back, want: "restart", targets: "orders-1"},
		"is the next rung where the first was tried on the same":  {restart: replica("orders-1"), rollback: back, actions: []incident.Action{done("restart", "orders-1")}, want: "rollback", targets: "orders", passed: 1},
		"is the same rung for what has only now fallen ill":       {restart: replica("orders-2"), rollback: back, actions: []incident.Action{done("restart", "orders-1")}, want: "restart", targets: "orders-2"},
		"follows a replica to its successor":                      {restart: replica("orders-b"), rollback: back, actions: []incident.Action{done("restart", "orders-a", "orders-b")}, want: "rollback", targets: "orders", passed: 1},
		"holds any replica for the heir of one that is gone":      {restart: replica("orders-1"), rollback: back, actions: []incident.Action{done("restart", "orders-x")}, want: "rollback", targets: "orders", passed: 1},
		"passes over what has nothing to act on":                  {restart: replica("orders-1"), actions: []incident.Action{done("restart", "orders-1")}, want: "exhausted", passed: 2},
		"waits where a replica is only not on the list":           {missing: true, rollback: back, want: "wait"},
		"waits where nobody can list what is there":               {unlisted: true, rung: 1, want: "wait"},
		"does not go back below the rung that is due":             {restart: replica("orders-1"), rollback: back, rung: 1, want: "rollback", targets: "orders"},
		"says so where the ladder is at its end":                  {restart: replica("orders-1"), rung: 2, want: "exhausted"},
		"does not count what was skipped":                         {restart: replica("orders-1"), actions: []incident.Action{{Kind: incident.ReplicaTarget, Remedy: "restart", Target: "orders-1", Result: incident.ResultSkipped}}, want: "restart", targets: "orders-1"},
		"counts a failure":                                        {restart: replica("orders-1"), rollback: back, actions: []incident.Action{{Kind: incident.ReplicaTarget, Remedy: "restart", Target: "orders-1", Result: incident.ResultFailed, FinishedAt: &ended}}, want: "rollback", targets: "orders", passed: 1},
		"may be what was taken back because the fault had passed": {restart: replica("orders-1"), actions: []incident.Action{{Kind: incident.ReplicaTarget, Remedy: "restart", Target: "orders-1", Result: incident.ResultDone, FinishedAt: &ended, Undo: &incident.Undo{State: incident.Undone, Passed: true}}}, want: "restart", targets: "orders-1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := situation(t, tc.restart, tc.rollback, tc.actions, tc.unlisted, tc.rung)
			if tc.missing {
				s.Sight.Diagnosis.Subjects = []string{"orders-9"}
			}
			got := decide.Choose(s)
			what := got.Step.Remedy
			switch {
			case got.Exhausted != "":
				what = "exhausted"
			case got.Wait != "":
				what = "wait"
			}
			var targets []string
			for _, target := range got.Targets {
				targets = append(targets, target.Name)
			}
			if what != tc.want || strings.Join(targets, ",") != tc.targets || len(got.Passed) != tc.passed {
				t.Errorf("%s on %v, passed over %q; want %s on %s", what, targets, got.Passed, tc.want, tc.targets)
			}
		})
	}
}

func TestACauseWithoutALadderIsSaid(t *testing.T) {
	s := situation(t, replica("orders-1"), nil, nil, false, 0)
	s.Sight.Diagnosis.Cause = incident.SlowQuery
	if got := decide.Choose(s); got.Exhausted != "the playbook has no ladder for slow-query" {
		t.Errorf("%+v", got)
	}
}

func TestWhatWouldDoHarmIsAskedOfTheGuardsEvenWhereItFindsNothingToAct(t *testing.T) {
	s := situation(t, nil, nil, nil, false, 0)
	harmful := can{guard.ScaleOut, remedy.Traits{Lasting: true, Adds: true}, nil}
	var err error
	s.Playbook, err = playbook.Parse("book", []byte(strings.Replace(book, "remedy: restart,", "remedy: scale-out, hold: { ttl: 15s, at_most: 1m },", 1)), playbook.Known{
		Causes: incident.Causes(), Remedies: playbook.Remedies([]can{harmful, {"rollback", remedy.Traits{}, nil}}), Limits: guard.Defaults(guard.Act),
		Harmful: func(incident.Cause, string) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Remedies[guard.ScaleOut] = harmful
	s.Sight.Diagnosis.Workload = "orders"
	got := decide.Choose(s)
	if len(got.Targets) != 1 || got.Targets[0].Name != "orders" || got.Step.Remedy != guard.ScaleOut {
		t.Errorf("%+v; want the workload at the root, for the harm list to refuse", got)
	}
}

func situation(t *testing.T, restart, rollback []incident.Target, actions []incident.Action, unlisted bool, rung int) decide.Situation {
	t.Helper()
	first := can{"restart", remedy.Traits{EndsRequests: true}, restart}
	second := can{"rollback", remedy.Traits{EndsRequests: true}, rollback}
	book, err := playbook.Parse("book", []byte(book), playbook.Known{
		Causes: incident.Causes(), Remedies: playbook.Remedies([]can{first, second}), Limits: guard.Defaults(guard.Act),
		Harmful: func(incident.Cause, string) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	orders := workload.Workload{Name: "orders", Replicas: []workload.Replica{{ID: "orders-1"}, {ID: "orders-2"}, {ID: "orders-b"}}}
	s := decide.Situation{
		Playbook: book, Remedies: map[string]remedy.Remedy{"restart": first, "rollback": second}, Actions: actions, Rung: rung,
		Sight: remedy.Sight{Diagnosis: incident.Diagnosis{Cause: incident.ConnectionLeak}, Workloads: []workload.Workload{orders}},
	}
	if unlisted {
		s.Sight.Workloads = nil
	}
	return s
}

const book = `version: 2
causes:
  connection-leak:
    ladder:
      - { remedy: restart, timeout: 15s, verify: { readings: 3, within: 15s } }
      - { remedy: rollback, timeout: 15s, verify: { readings: 3, within: 15s } }
`
