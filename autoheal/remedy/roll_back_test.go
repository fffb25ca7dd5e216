package remedy

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

func TestRollBackGoesToTheVersionBefore(t *testing.T) {
	for name, tc := range map[string]struct {
		version  string
		versions []string
		to       string
	}{
		"the one before the newest":              {"v2", []string{"v1", "v2"}, "v1"},
		"the one before the present, not newest": {"v2", []string{"v1", "v2", "v3"}, "v1"},
		"none before the first":                  {"v1", []string{"v1", "v2"}, ""},
		"none where the present one is unknown":  {"v9", []string{"v1", "v2"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			targets, why := (&RollBack{}).Targets(seeing(t, incident.BadRelease, workload.Workload{Name: "orders", Version: tc.version, Versions: tc.versions}), nil)
			if tc.to == "" && (len(targets) != 0 || !strings.Contains(why, tc.version)) {
				t.Errorf("%+v, %q", targets, why)
			}
			if tc.to != "" && (len(targets) != 1 || targets[0].Is != tc.version || targets[0].To != tc.to) {
				t.Errorf("%+v, %q; want from %s to %s", targets, why, tc.version, tc.to)
			}
		})
	}
}

func TestRollBack(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*fleet)
		with    func(Application) Application
		result  string
		detail  string
		version string
		changes int
	}{
		"brings the earlier version and waits for all replicas":  {func(*fleet) {}, nil, incident.ResultDone, "at version v1 instead of v2", "v1", 1},
		"a version of somebody else's is left alone":             {func(f *fleet) { f.Version = "v3" }, nil, incident.ResultSkipped, "somebody else changed it", "v3", 0},
		"an intent whose effect happened before a crash is done": {func(f *fleet) { f.Version = "v1" }, resumed, incident.ResultDone, "", "v1", 0},
		"an intent that came to nothing is carried out":          {func(*fleet) {}, resumed, incident.ResultDone, "", "v1", 1},
		"a lost answer does not roll back twice":                 {func(f *fleet) { f.loseAnswers = 1 }, nil, incident.ResultDone, "", "v1", 1},
		"a version that is not there any more fails the action": {
			func(f *fleet) { f.Versions = []string{"v2"} }, nil, incident.ResultFailed, "could not be asked for", "v2", 0,
		},
		"replicas that never become ready fail the action": {func(f *fleet) { f.readyIn = -1 }, nil, incident.ResultFailed, "0 of 2 replicas are ready", "v1", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(2)
				tc.change(f)
				a := application(incident.WorkloadTarget, "orders", "v2", "v1")
				if tc.with != nil {
					a = tc.with(a)
				}
				effect := (&RollBack{asControl{f}}).Apply(t.Context(), a)
				if effect.Result != tc.result || !strings.Contains(effect.Detail, tc.detail) || f.Version != tc.version || f.changes != tc.changes {
					t.Errorf("%+v, version %s after %d changes", effect, f.Version, f.changes)
				}
			})
		})
	}
}

func TestARollBackThatDidNotHelpIsTakenForward(t *testing.T) {
	for version, want := range map[string]struct{ result, version string }{
		"v1": {incident.ResultDone, "v2"}, "v2": {incident.ResultDone, "v2"}, "v3": {incident.ResultSkipped, "v3"},
	} {
		t.Run("from "+version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(2)
				f.Version = version
				effect := (&RollBack{asControl{f}}).Undo(t.Context(), application(incident.WorkloadTarget, "orders", "v2", "v1"))
				if effect.Result != want.result || f.Version != want.version {
					t.Errorf("%+v, version %s", effect, f.Version)
				}
			})
		})
	}
}
