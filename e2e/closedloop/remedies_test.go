package closedloop

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/local"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// patient is the real local stack, in the hands of the healer's own adapters.
type patient struct {
	control  *local.Control
	edge     *edge.Client
	remedies map[string]remedy.Remedy
}

func newPatient(t *testing.T, stack endpoints.Stack) patient {
	t.Helper()
	control, err := local.New(local.Config{URL: stack.Endpoints.Control, Token: secret(t, stack.ControlTokenFile)})
	if err != nil {
		t.Fatal(err)
	}
	door, err := edge.NewClient(edge.Config{Instances: edge.Fixed(stack.Endpoints.EdgeControl), Token: secret(t, stack.EdgeControlTokenFile)})
	if err != nil {
		t.Fatal(err)
	}
	all, err := remedy.All(remedy.Controls{
		Replicas: control, Scaler: control, Releases: control, Edge: door, HTTP: http.DefaultClient,
		Sessions: struct{ remedy.Sessions }{}, // sessions have tests of their own, with a real server
	})
	if err != nil {
		t.Fatal(err)
	}
	p := patient{control, door, map[string]remedy.Remedy{}}
	for _, r := range all {
		p.remedies[r.Name()] = r
	}
	return p
}

func secret(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// sight is what the healer sees: orders at the root.
func (p patient) sight(t *testing.T) remedy.Sight {
	t.Helper()
	workloads, err := p.control.Workloads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now, err := p.edge.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return remedy.Sight{Diagnosis: incident.Diagnosis{Workload: "orders"}, Workloads: workloads, Edge: now}
}

// picture is all that remedies change.
func (p patient) picture(t *testing.T) string {
	t.Helper()
	seen := p.sight(t)
	all := []string{"mode " + seen.Edge.Mode, "weights " + seen.Edge.Weights.String()}
	for _, w := range seen.Workloads {
		if strings.HasPrefix(w.Name, "orders") {
			all = append(all, w.Name+" "+w.Version+" x"+strconv.Itoa(w.Desired))
		}
	}
	return strings.Join(all, ", ")
}

const asUsual = "mode normal, weights 100:0, orders v1 x2, orders-standby v1 x0"

// apply does all that the remedy would do now.
func (p patient) apply(t *testing.T, name string, params remedy.Params, lasts time.Duration) []remedy.Application {
	t.Helper()
	r := p.remedies[name]
	targets, why := r.Targets(p.sight(t), params)
	if len(targets) == 0 {
		t.Fatalf("%s has no target: %s", name, why)
	}
	var done []remedy.Application
	for _, target := range targets {
		a := remedy.Application{
			IncidentID: "i", Target: target, Params: params, IntendedAt: time.Now(), Timeout: 20 * time.Second, TimeToLive: lasts,
		}
		begun := time.Now()
		effect := r.Apply(t.Context(), a)
		if effect.Result != incident.ResultDone {
			t.Fatalf("%s on %s: %+v", name, target.Name, effect)
		}
		t.Logf("%s: %s (%s)", name, effect.Detail, time.Since(begun).Round(time.Millisecond))
		done = append(done, a)
	}
	return done
}

// undo takes it back, the last first, as the engine does.
func (p patient) undo(t *testing.T, name string, done []remedy.Application) {
	t.Helper()
	for i := len(done) - 1; i >= 0; i-- {
		if effect := p.remedies[name].(remedy.Undoer).Undo(t.Context(), done[i]); effect.Result != incident.ResultDone {
			t.Errorf("taking %s back: %+v", name, effect)
		}
	}
}

func TestEveryChangeOfARemedyIsMadeAndTakenBackOnTheRealStack(t *testing.T) {
	p := newPatient(t, startStack(t, looptest.Root(t)).Stack)
	if now := p.picture(t); now != asUsual {
		t.Fatalf("it begins with %s; want %s", now, asUsual)
	}
	for _, tc := range []struct {
		remedy string
		params remedy.Params
		want   string
	}{
		{remedy.AcceptName, nil, "mode accept, weights 100:0, orders v1 x2, orders-standby v1 x0"},
		{remedy.DeferPaymentName, nil, "mode defer-payment, weights 100:0, orders v1 x2, orders-standby v1 x0"},
		{remedy.ShedName, remedy.Params{remedy.AdmitParam: "60"}, "mode shed, weights 100:0, orders v1 x2, orders-standby v1 x0"},
		{remedy.ScaleOutName, remedy.Params{remedy.ByParam: "1"}, "mode normal, weights 100:0, orders v1 x3, orders-standby v1 x0"},
		{remedy.ShiftTrafficName, remedy.Params{remedy.ReplicasParam: "1"}, "mode normal, weights 0:100, orders v1 x2, orders-standby v1 x1"},
	} {
		t.Run(tc.remedy, func(t *testing.T) {
			done := p.apply(t, tc.remedy, tc.params, time.Minute)
			if now := p.picture(t); now != tc.want {
				t.Errorf("%s; want %s", now, tc.want)
			}
			for _, a := range done {
				until, err := p.remedies[tc.remedy].(remedy.Renewer).Renew(t.Context(), a)
				if err != nil || time.Until(until) > time.Minute || time.Until(until) < 50*time.Second {
					t.Errorf("renewed until %s, error %v", until, err)
				}
			}
			for range 2 { // a second time changes nothing
				p.undo(t, tc.remedy, done)
			}
			if now := p.picture(t); now != asUsual {
				t.Errorf("taken back: %s", now)
			}
		})
	}
	t.Run("roll-back", p.rollsBack)
	t.Run("what nobody renews lapses", p.lapses)
	t.Run("health-check", func(t *testing.T) { p.apply(t, remedy.HealthCheckName, nil, 0) })
}

func (p patient) rollsBack(t *testing.T) {
	if err := p.control.RollBack(t.Context(), "orders", "v1", "v2"); err != nil { // to any version that there is
		t.Fatal(err)
	}
	looptest.WaitUntil(t, "v2 to be rolled out", func() bool {
		now, err := p.control.Workload(t.Context(), "orders")
		return err == nil && now.Ready() == 2 && now.Replicas[0].Version == "v2" && now.Replicas[1].Version == "v2"
	})
	p.apply(t, remedy.RollBackName, nil, 0)
	if now := p.picture(t); now != asUsual {
		t.Errorf("rolled back: %s", now)
	}
}

// lapses lets two changes stand whose healer is gone.
func (p patient) lapses(t *testing.T) {
	p.apply(t, remedy.ScaleOutName, nil, 2*time.Second)
	p.apply(t, remedy.AcceptName, nil, 2*time.Second)
	looptest.WaitUntil(t, "the edge and the supervisor to go back", func() bool { return p.picture(t) == asUsual })
}
