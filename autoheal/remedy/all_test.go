package remedy

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

func everything(t *testing.T) []Remedy {
	t.Helper()
	world := asControl{newFleet(2)}
	all, err := All(Controls{Replicas: world, Scaler: world, Releases: world, Edge: newGate("storefront-a").client(t), Sessions: &server{}, HTTP: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What a playbook is checked against is what acts.
func TestWhatIsKnownOfRemediesIsWhatTheyAre(t *testing.T) {
	all, known := everything(t), Known()
	if len(all) != len(known) {
		t.Fatalf("%d remedies, %d of them known", len(all), len(known))
	}
	for i, r := range all {
		if r.Name() != known[i].Name() || r.Traits() != known[i].Traits() {
			t.Errorf("%s %+v is known as %s %+v", r.Name(), r.Traits(), known[i].Name(), known[i].Traits())
		}
		if _, err := os.Stat(filepath.Join("..", "..", "docs", "remedies", r.Name()+".md")); err != nil {
			t.Errorf("%s has no page: %v", r.Name(), err)
		}
	}
	if names := Names(all); len(slices.Compact(names)) != len(all) {
		t.Errorf("names are used twice: %v", names)
	}
}

// A change that stands for as long as the fault lasts must have a way back and a way to keep it; what changes nothing, neither.
func TestWhatLastsCanBeRenewedAndTakenBack(t *testing.T) {
	for _, r := range everything(t) {
		_, undoer := r.(Undoer)
		_, renewer := r.(Renewer)
		traits := r.Traits()
		if traits.Lasting && !renewer || traits.Harmless && (undoer || traits.Destructive || traits.EndsRequests || traits.Adds) {
			t.Errorf("%s: %+v, can be taken back %v, renewed %v", r.Name(), traits, undoer, renewer)
		}
	}
}

func TestNobodyToActWithIsRefused(t *testing.T) {
	if _, err := All(Controls{}); err == nil || !strings.Contains(err.Error(), "restart replicas") {
		t.Errorf("%v", err)
	}
}

func TestParametersAreChecked(t *testing.T) {
	byName := map[string]Description{}
	for _, d := range Known() {
		byName[d.Name()] = d
	}
	for _, tc := range []struct {
		remedy string
		params Params
		field  string
		want   string
	}{
		{RestartReplicasName, nil, "", ""},
		{RestartReplicasName, Params{"by": "2"}, "by", "it takes none"},
		{ScaleOutName, Params{ByParam: "2", AtMostParam: "4"}, "", ""},
		{ScaleOutName, Params{ByParam: "0"}, "by", "write 1 or more"},
		{ScaleOutName, Params{"replicas": "3"}, "replicas", "it takes at_most, by"},
		{AcceptName, Params{AdmitParam: "5"}, "admit", "it takes none"},
		{DeferPaymentName, nil, "", ""},
		{ShedName, Params{AdmitParam: "60"}, "", ""},
		{ShedName, nil, "admit", "admit is missing"},
		{ShedName, Params{AdmitParam: "NaN"}, "admit", "no rate"},
		{ShiftTrafficName, Params{StandbyParam: "", ReplicasParam: "2"}, "standby", "the name is empty"},
	} {
		field, err := byName[tc.remedy].Check(tc.params)
		if field != tc.field || (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s with %v: %q, %v; want %q with %q", tc.remedy, tc.params, field, err, tc.field, tc.want)
		}
	}
}

func TestWithoutAWorkloadAtTheRootNothingHasATarget(t *testing.T) {
	seen := Sight{Diagnosis: incident.Diagnosis{Cause: incident.Inconclusive}}
	for _, d := range Known() {
		if targets, why := d.Targets(seen, nil); len(targets) > 0 || why == "" {
			t.Errorf("%s: %+v, %q", d.Name(), targets, why)
		}
	}
}

func TestWaitingGoesOnWhereAnEarlierLifeOfTheHealerWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := application(incident.WorkloadTarget, "orders", "", "")
		time.Sleep(3 * time.Second) // the healer is away
		a.Resumed = true
		if effect := (&WaitLonger{}).Apply(t.Context(), a); effect.Result != incident.ResultDone || time.Since(a.IntendedAt) != a.Timeout {
			t.Errorf("%+v after %s", effect, time.Since(a.IntendedAt))
		}
		stopped, cancel := context.WithCancel(t.Context())
		cancel()
		a.IntendedAt = time.Now()
		if effect := (&WaitLonger{}).Apply(stopped, a); effect.Result != incident.ResultFailed {
			t.Errorf("broken off: %+v", effect)
		}
	})
}

func TestAHealthCheckWritesDownWhatEveryReplicaSays(t *testing.T) {
	sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(sick.Close)
	well := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(well.Close)
	at := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	check := &HealthCheck{still{Name: "orders", Replicas: []workload.Replica{
		{ID: "orders-1", Address: at(well)}, {ID: "orders-2", Address: at(sick)}, {ID: "orders-3", Address: "127.0.0.1:1"}, {ID: "orders-4", State: workload.Stopped},
	}}, http.DefaultClient}
	effect := check.Apply(t.Context(), application(incident.WorkloadTarget, "orders", "", ""))
	for _, want := range []string{
		"orders-1 lives and is ready", "orders-2: /livez is good, /readyz answers 503", "orders-3: /livez gives no answer", "orders-4 is stopped and has no address",
	} {
		if effect.Result != incident.ResultDone || !strings.Contains(effect.Detail, want) {
			t.Errorf("%+v; want done with %q", effect, want)
		}
	}
	if effect := (&HealthCheck{asControl{newFleet(1)}, http.DefaultClient}).Apply(t.Context(), application(incident.WorkloadTarget, "nobody", "", "")); effect.Result != incident.ResultFailed {
		t.Errorf("a workload that is not there: %+v", effect)
	}
}

// still is a workload that does not change.
type still workload.Workload

func (s still) Workload(context.Context, string) (workload.Workload, error) {
	return workload.Workload(s), nil
}
