// Package looptest holds what the tests of the closed loop on every target share: a checkout, a trial, and what its record
// must say.
package looptest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/e2e/trial"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Root is a checkout as far as the stack is concerned: a folder of the test's own, with our binaries.
func Root(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	Furnish(t, root)
	return root
}

// Furnish puts our binaries into a folder.
func Furnish(t *testing.T, root string) {
	t.Helper()
	bin, err := filepath.Abs("../../.faultline/bin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(bin, "stack")); err != nil {
		t.Fatalf("our programs are not built (%v): `make test` builds them first", err)
	}
	if err := os.MkdirAll(filepath.Join(root, ".faultline"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(bin, filepath.Join(root, ".faultline", "bin")); err != nil {
		t.Fatal(err)
	}
}

// Log is the test's own log as a writer.
type Log struct{ T *testing.T }

// Write logs p.
func (l Log) Write(p []byte) (int, error) {
	l.T.Logf("%s", p)
	return len(p), nil
}

// Trial runs one trial of the connection leak on the stack of the checkout; window 0 is the experiment's own.
func Trial(t *testing.T, root string, arm trial.Arm, window time.Duration) record.Record {
	t.Helper()
	experiment, err := experiments.Get("connection-leak")
	if err != nil {
		t.Fatal(err)
	}
	result, err := trial.Run(t.Context(), trial.Config{
		StackFile: filepath.Join(root, endpoints.DefaultFile), Experiment: experiment, Arm: arm, Seed: 1, Window: window,
		OnEvent: func(event trial.Event) {
			if event.Second == nil {
				t.Logf("%s %s: %s", event.At.Format("15:04:05.000"), event.Kind, event.Text)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// CheckHealed holds a record against a heal: the right cause, exactly the replicas that leak, proved, every stage timed.
func CheckHealed(t *testing.T, r record.Record) {
	t.Helper()
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

// CheckLeftAlone holds a record against the arm without a healer: the fault had its effect, and stayed.
func CheckLeftAlone(t *testing.T, r record.Record) {
	t.Helper()
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
