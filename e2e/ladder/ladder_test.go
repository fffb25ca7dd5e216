package ladder

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/e2e/internal/ward"
	"github.com/faultline-lab/faultline/e2e/record"
	"github.com/faultline-lab/faultline/e2e/trial"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// run runs one trial of an experiment with the healer.
func run(t *testing.T, w *ward.Ward, name string) record.Record {
	t.Helper()
	experiment, err := experiments.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	result, err := trial.Run(t.Context(), trial.Config{
		StackFile: filepath.Join(w.Root, endpoints.DefaultFile), Experiment: experiment, Arm: "healer", Seed: 1,
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

// done lists the remedies that were used, in their order, each once.
func done(r record.Record) []string {
	var remedies []string
	for _, action := range r.Actions {
		if action.Done() && !slices.Contains(remedies, action.Remedy) {
			remedies = append(remedies, action.Remedy)
		}
	}
	return remedies
}

// Nobody tells the healer that there was a rollout: to it the release is older than what it calls one. It takes the leak for a
// leak, sees that the restart does not hold, and goes up the ladder by itself.
func TestAHiddenReleaseIsRestartedRelapsesAndIsRolledBack(t *testing.T) {
	w := ward.Open(t, "7000", "--release-window=1s")
	r := run(t, w, "bad-release")
	if got := done(r); !slices.Equal(got, []string{"restart-replicas", "roll-back"}) {
		t.Errorf("done: %v, want a restart and then the rollback", got)
	}
	if r.Recovered == nil || !*r.Recovered {
		t.Error("the client has not recovered")
	}
	if r.MTTR != nil {
		t.Logf("recovered %.1f s after the first bad second", *r.MTTR)
	}
	workload, err := w.Control.Workload(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	if workload.Version != "v1" {
		t.Errorf("orders runs %s, want v1", workload.Version)
	}
}

func TestAVisibleReleaseIsRolledBackAtOnce(t *testing.T) {
	w := ward.Open(t, "7000")
	r := run(t, w, "bad-release")
	if got := done(r); !slices.Equal(got, []string{"roll-back"}) || r.WrongAction {
		t.Errorf("done: %v (wrong: %v), want the rollback alone", got, r.WrongAction)
	}
	if r.Recovered == nil || !*r.Recovered || r.CauseDiagnosed != "bad-release" {
		t.Errorf("recovered %v, cause %s", r.Recovered, r.CauseDiagnosed)
	}
}

func TestASlowNetworkIsMetWithAcceptWhichIsTakenBackAfterItOnce(t *testing.T) {
	w := ward.Open(t, "7000")
	begun := time.Now()
	r := run(t, w, "network-latency")
	if got := done(r); !slices.Equal(got, []string{"accept"}) || r.WrongAction {
		t.Errorf("done: %v (wrong: %v), want accept alone", got, r.WrongAction)
	}
	if r.Mitigated == nil {
		t.Error("the client was never well again, orders taken for later counted as good")
	}
	if r.Aftermath == nil {
		t.Fatal("no change stood when the fault passed")
	}
	if a := r.Aftermath; a.Undone == nil || a.Ended == nil || a.Recovered == nil || a.Changes != 1 {
		t.Errorf("after the fault: %+v, want the one change taken back, the incident ended, and the client well", *a)
	}
	if modes := w.Modes(t, begun); !slices.Equal(modes, []string{"accept", "normal"}) {
		t.Errorf("the edge went to %v, want accept and back: more is flapping", modes)
	}
}
