package closedloop

import (
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/record"
)

func TestTheLoopCloses(t *testing.T) {
	root := newRoot(t)
	stack := startStack(t, root)

	t.Run("a replica that leaks is restarted and its well neighbour is left alone", func(t *testing.T) {
		checkPartialLeak(t, stack.Stack)
	})

	healed := runTrial(t, root, "healer", 0)
	t.Run("the healer names the leak, restarts what leaks, and the client recovers", func(t *testing.T) { checkHealed(t, healed) })
	t.Run("a failed request is found in Jaeger, in Loki and as an exemplar", func(t *testing.T) {
		checkPillars(t, stack.Stack, *healed.Stages.Injected)
	})

	window := 20 * time.Second
	left := runTrial(t, root, "none", window)
	t.Run("without the healer the same fault stays", func(t *testing.T) { checkLeftAlone(t, left) })
}

func checkHealed(t *testing.T, r record.Record) {
	if r.Recovered == nil || !*r.Recovered {
		t.Errorf("recovered = %v, want true", r.Recovered)
	}
	if r.CauseDiagnosed != "connection-leak" {
		t.Errorf("cause diagnosed = %q", r.CauseDiagnosed)
	}
	if r.WrongAction {
		t.Errorf("a wrong action is among %+v (affected: %v)", r.Actions, r.Affected)
	}
	var restarted []string
	for _, action := range r.Actions {
		restarted = append(restarted, action.Target)
	}
	slices.Sort(restarted)
	if !slices.Equal(restarted, r.Affected) || len(restarted) == 0 {
		t.Errorf("restarted %v, want exactly the leaking replicas %v", restarted, r.Affected)
	}
	if r.FaultStillPresent == nil || *r.FaultStillPresent {
		t.Errorf("fault still present = %v, want false", r.FaultStillPresent)
	}
	if disorder := r.Stages.OutOfOrder(); disorder != "" {
		t.Errorf("stages out of order: %s", disorder)
	}
	s := r.Stages
	for name, at := range map[string]*time.Time{
		"injected": s.Injected, "first_bad": s.FirstBad, "alert_pending": s.AlertPending, "alert_firing": s.AlertFiring,
		"webhook_received": s.WebhookReceived, "diagnosed": s.Diagnosed, "decided": s.Decided,
		"action_started": s.ActionStarted, "action_finished": s.ActionFinished, "sli_mitigated": s.SLIMitigated,
		"sli_recovered": s.SLIRecovered, "verified": s.Verified, "alert_resolved": s.AlertResolved,
	} {
		if at == nil {
			t.Errorf("stage %s has no time", name)
		}
	}
}

func checkLeftAlone(t *testing.T, r record.Record) {
	if r.Stages.FirstBad == nil || r.Stages.AlertFiring == nil {
		t.Errorf("first bad %v, alert firing %v: the fault had no effect", r.Stages.FirstBad, r.Stages.AlertFiring)
	}
	if r.Recovered == nil || *r.Recovered {
		t.Errorf("recovered = %v, want false", r.Recovered)
	}
	if r.FaultStillPresent == nil || !*r.FaultStillPresent {
		t.Errorf("fault still present = %v, want true", r.FaultStillPresent)
	}
	if len(r.Actions) > 0 || r.Stages.WebhookReceived != nil {
		t.Errorf("somebody acted: %+v", r.Actions)
	}
}
