package remedy

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

func TestScaleOutGoesAsFarAsOwnersAndPlaybookAllow(t *testing.T) {
	for name, tc := range map[string]struct {
		desired, most int
		params        Params
		to, why       string
	}{
		"one more where nothing is said":               {2, 8, nil, "3", ""},
		"as many more as the playbook says":            {2, 8, Params{ByParam: "2"}, "4", ""},
		"no more than the playbook says":               {2, 8, Params{ByParam: "4", AtMostParam: "3"}, "3", ""},
		"no more than the owners allow":                {2, 3, Params{ByParam: "4"}, "3", ""},
		"not at all where the owners allow no more":    {4, 4, Params{ByParam: "2"}, "", "its owners allow no more"},
		"not at all where the playbook allows no more": {4, 0, Params{AtMostParam: "3"}, "", "the playbook allow no more"},
	} {
		t.Run(name, func(t *testing.T) {
			targets, why := (&ScaleOut{}).Targets(seeing(t, incident.TrafficSurge, workload.Workload{Name: "orders", Desired: tc.desired, Max: tc.most}), tc.params)
			if tc.to == "" && (len(targets) != 0 || !strings.Contains(why, tc.why)) {
				t.Errorf("%+v, %q", targets, why)
			}
			if tc.to != "" && (len(targets) != 1 || targets[0].To != tc.to || targets[0].Kind != incident.WorkloadTarget) {
				t.Errorf("%+v, %q; want one that goes to %s", targets, why, tc.to)
			}
		})
	}
}

func TestScaleOut(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*fleet)
		with    func(Application) Application
		result  string
		detail  string
		desired int
		changes int
	}{
		"adds replicas and waits for them": {func(*fleet) {}, nil, incident.ResultDone, "has 4 replicas instead of 2, all ready", 4, 1},
		"a size of somebody else's is left alone": {
			func(f *fleet) { f.Desired = 5 }, nil, incident.ResultSkipped, "somebody else changed it", 5, 0,
		},
		"an intent whose effect happened before a crash is done":       {func(f *fleet) { f.Desired = 4 }, resumed, incident.ResultDone, "", 4, 0},
		"an intent whose effect did not happen before a crash is done": {func(*fleet) {}, resumed, incident.ResultDone, "", 4, 1},
		"a lost answer does not scale twice":                           {func(f *fleet) { f.loseAnswers = 1 }, nil, incident.ResultDone, "", 4, 1},
		"a control that hiccups is asked again":                        {func(f *fleet) { f.fail = []error{errLost, errLost} }, nil, incident.ResultDone, "", 4, 1},
		"a control that is gone fails the action": {
			func(f *fleet) { f.fail = []error{errLost, errLost, errLost} }, nil, incident.ResultFailed, "nobody confirms it", 2, 0,
		},
		"a refusal is not argued with": {
			func(f *fleet) { f.fail = []error{workload.ErrRefused} }, nil, incident.ResultFailed, "could not be asked for", 2, 0,
		},
		"replicas that never become ready fail the action, and the size stays to be taken back": {
			func(f *fleet) { f.readyIn = -1 }, nil, incident.ResultFailed, "0 of 4 replicas are ready", 4, 1,
		},
		"what may not be any more is not asked for again": {
			func(f *fleet) { f.fail = []error{workload.ErrNotNow} }, func(a Application) Application { return a.judged("the switch is on") },
			incident.ResultSkipped, "the switch is on", 2, 0,
		},
		"what happened although the answer got lost is no reason to stop": {
			func(f *fleet) { f.loseAnswers = 1 }, func(a Application) Application { return a.judged("the switch is on") },
			incident.ResultDone, "", 4, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(2)
				tc.change(f)
				a := application(incident.WorkloadTarget, "orders", "2", "4")
				if tc.with != nil {
					a = tc.with(a)
				}
				effect := (&ScaleOut{asControl{f}}).Apply(t.Context(), a)
				if effect.Result != tc.result || !strings.Contains(effect.Detail, tc.detail) || f.Desired != tc.desired || f.changes != tc.changes {
					t.Errorf("%+v, %d replicas after %d changes", effect, f.Desired, f.changes)
				}
				if effect.Result == incident.ResultDone && (effect.Until == nil || !effect.Until.Equal(*f.until)) {
					t.Errorf("it lasts until %v, want %v", effect.Until, f.until)
				}
			})
		})
	}
}

func resumed(a Application) Application {
	a.Resumed = true
	return a
}

func TestScaleOutIsTakenBackOnceAndOnlyWhatIsOurs(t *testing.T) {
	for name, tc := range map[string]struct {
		now, want int
		result    string
	}{
		"to where it was":                              {4, 2, incident.ResultDone},
		"not again where it is back already":           {2, 2, incident.ResultDone},
		"not where somebody else has changed it since": {5, 5, incident.ResultSkipped},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(tc.now)
			effect := (&ScaleOut{asControl{f}}).Undo(t.Context(), application(incident.WorkloadTarget, "orders", "2", "4"))
			if effect.Result != tc.result || f.Desired != tc.want || f.until != nil {
				t.Errorf("%+v, %d replicas", effect, f.Desired)
			}
		})
	}
}

func TestScaleOutLapsesUnlessItIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(2)
		out := &ScaleOut{asControl{f}}
		a := application(incident.WorkloadTarget, "orders", "2", "4")
		if effect := out.Apply(t.Context(), a); effect.Result != incident.ResultDone {
			t.Fatalf("%+v", effect)
		}
		time.Sleep(15 * time.Second)
		until, err := out.Renew(t.Context(), a)
		if err != nil || time.Until(until) != 20*time.Second || f.changes != 1 {
			t.Errorf("until %s, error %v, %d changes", until, err, f.changes)
		}
		time.Sleep(21 * time.Second)
		if _, err := out.Renew(t.Context(), a); err == nil || f.Desired != 2 {
			t.Errorf("what has lapsed was renewed: %v, %d replicas", err, f.Desired)
		}
	})
}
