package edge_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/edge/edgetest"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

const token = "edge-token"

func client(t *testing.T, replicas ...*edgetest.Replica) *edge.Client {
	t.Helper()
	var all []edge.Instance
	for _, r := range replicas {
		all = append(all, edge.Instance{ID: r.Name, URL: r.Serve(t)})
	}
	return at(t, func(context.Context) ([]edge.Instance, error) { return all, nil }, token)
}

func at(t *testing.T, instances func(context.Context) ([]edge.Instance, error), secret string) *edge.Client {
	t.Helper()
	c, err := edge.NewClient(edge.Config{Instances: instances, Token: secret})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func accept() edge.ModeChange {
	return edge.ModeChange{Mode: edge.Accept, If: edge.Normal, By: "autoheal/i", For: 15 * time.Second}
}

func TestAModeIsSetRenewedAndTakenBack(t *testing.T) {
	c := client(t, edgetest.New("storefront-1", token))
	set, err := c.SetMode(t.Context(), accept())
	if err != nil || set.Mode != edge.Accept || set.ModeUntil == nil || set.ModeBy != "autoheal/i" {
		t.Fatalf("%+v, error %v", set, err)
	}
	renewed, err := c.SetMode(t.Context(), accept())
	if err != nil || !renewed.ModeUntil.After(*set.ModeUntil) {
		t.Errorf("renewed until %v, before until %v, error %v", renewed.ModeUntil, set.ModeUntil, err)
	}
	back, err := c.SetMode(t.Context(), edge.ModeChange{Mode: edge.Normal, If: edge.Accept, By: "autoheal/i"})
	if err != nil || back.Mode != edge.Normal || back.ModeUntil != nil {
		t.Errorf("%+v, error %v", back, err)
	}
}

func TestAModeOfSomebodyElseIsAConflictAndStays(t *testing.T) {
	c := client(t, edgetest.New("storefront-1", token))
	if _, err := c.SetMode(t.Context(), edge.ModeChange{Mode: edge.Shed, If: edge.Normal, By: "somebody", For: time.Minute, Admit: 5}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SetMode(t.Context(), accept()); !errors.Is(err, workload.ErrConflict) || !strings.Contains(err.Error(), "somebody") {
		t.Errorf("%v; want a conflict that says who", err)
	}
	if now, err := c.State(t.Context()); err != nil || now.Mode != edge.Shed || now.Admit != 5 {
		t.Errorf("%+v, error %v", now, err)
	}
}

func TestWhatTheEdgeDoesNotTakeIsRefusedWithTheReason(t *testing.T) {
	replica := edgetest.New("storefront-1", token)
	c := client(t, replica)
	tooLong := accept()
	tooLong.For = time.Hour
	if _, err := c.SetMode(t.Context(), tooLong); !errors.Is(err, workload.ErrRefused) || !strings.Contains(err.Error(), "30m") {
		t.Errorf("%v; want it refused with what to change", err)
	}
	stranger := at(t, edge.Fixed(replica.Serve(t)+"/"), "another")
	if _, err := stranger.SetMode(t.Context(), accept()); !errors.Is(err, workload.ErrRefused) || !strings.Contains(err.Error(), "--edge-control-token-file") {
		t.Errorf("%v; want it refused with the flag to look at", err)
	}
	if _, err := stranger.State(t.Context()); err != nil {
		t.Errorf("reading needs no token: %v", err)
	}
}

func TestWhatShedLetsThroughIsSharedAmongTheReplicas(t *testing.T) {
	c := client(t, edgetest.New("storefront-a", token), edgetest.New("storefront-b", token), edgetest.New("storefront-c", token))
	shed := edge.ModeChange{Mode: edge.Shed, If: edge.Normal, By: "autoheal/i", For: time.Minute, Admit: 60}
	if now, err := c.SetMode(t.Context(), shed); err != nil || now.Admit != 60 {
		t.Errorf("%+v, error %v; want 60 in all", now, err)
	}
}

func TestReplicasThatDisagreeHaveNoMode(t *testing.T) {
	one, other := edgetest.New("storefront-a", token), edgetest.New("storefront-b", token)
	one.Waiting, other.Waiting = 3, 4
	both := client(t, one, other)
	if _, err := client(t, one).SetMode(t.Context(), accept()); err != nil {
		t.Fatal(err)
	}
	now, err := both.State(t.Context())
	if err != nil || now.Mode != "" || now.ModeBy != "" || now.ModeUntil == nil || now.Queue.Waiting != 7 {
		t.Errorf("%+v, error %v", now, err)
	}
	// Setting it anew reaches the one that came later.
	if set, err := both.SetMode(t.Context(), accept()); err != nil || set.Mode != edge.Accept {
		t.Errorf("%+v, error %v", set, err)
	}
}

func TestAReplicaThatDoesNotFollowIsSaid(t *testing.T) {
	one, other := edgetest.New("storefront-a", token), edgetest.New("storefront-b", token)
	both := client(t, one, other)
	if _, err := client(t, other).SetWeights(t.Context(), edge.WeightsChange{Weights: edge.Weights{Stable: 50, Standby: 50}, If: edge.Usual(), By: "somebody", For: time.Minute}); err != nil {
		t.Fatal(err)
	}
	_, err := both.SetWeights(t.Context(), edge.WeightsChange{Weights: edge.Weights{Standby: 100}, If: edge.Usual(), By: "autoheal/i", For: time.Minute})
	part, ok := errors.AsType[*edge.PartError](err)
	if !ok || part.Failed != 1 || part.Of != 2 || errors.Is(err, workload.ErrConflict) {
		t.Errorf("%v; want that 1 of 2 did not, which is no word on nothing having been changed", err)
	}
	if now, err := both.State(t.Context()); err != nil || now.Weights != (edge.Weights{}) {
		t.Errorf("%+v, error %v; want no common weights", now, err)
	}
}

func TestAConnectionThatFailsIsTriedAgain(t *testing.T) {
	replica := edgetest.New("storefront-1", token)
	lost := 2
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lost--; lost >= 0 {
			panic(http.ErrAbortHandler)
		}
		replica.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	if now, err := at(t, edge.Fixed(server.URL), token).SetMode(t.Context(), accept()); err != nil || now.Mode != edge.Accept {
		t.Errorf("%+v, error %v", now, err)
	}
}

func TestAnAnswerThatIsNoneIsNotTriedAgain(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.WriteHeader(http.StatusInternalServerError)
		_ = json.NewEncoder(w).Encode(map[string]string{}) // a failure shows at the client
	}))
	t.Cleanup(server.Close)
	c := at(t, edge.Fixed(server.URL), token)
	if _, err := c.State(t.Context()); err == nil || asked != 1 {
		t.Errorf("%v after %d questions", err, asked)
	}
	nonsense := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{"else": "where"}) // a failure shows at the client
	}))
	t.Cleanup(nonsense.Close)
	if _, err := at(t, edge.Fixed(nonsense.URL), token).State(t.Context()); err == nil || !strings.Contains(err.Error(), "no state of the contract") {
		t.Errorf("another program at the port: %v", err)
	}
}

func TestAnEdgeThatIsAwayIsAnErrorInTime(t *testing.T) {
	c, err := edge.NewClient(edge.Config{Instances: edge.Fixed("http://127.0.0.1:1"), Token: token, Timeout: 120 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.State(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer at its control port") {
		t.Errorf("%v", err)
	}
}

func TestTheReplicasAreThoseThatAreReady(t *testing.T) {
	ready := edge.ReadyReplicas(fleet{Replicas: []workload.Replica{
		{ID: "storefront-a", State: workload.Ready, Address: "10.0.0.7:8080"}, {ID: "storefront-b", State: workload.Starting},
	}}, "storefront", 8081)
	all, err := ready(t.Context())
	if err != nil || len(all) != 1 || all[0] != (edge.Instance{ID: "storefront-a", URL: "http://10.0.0.7:8081"}) {
		t.Errorf("%+v, error %v", all, err)
	}
	none := at(t, edge.ReadyReplicas(fleet{}, "storefront", 8081), token)
	if _, err := none.State(t.Context()); err == nil || !strings.Contains(err.Error(), "no replica of the edge is ready") {
		t.Errorf("%v", err)
	}
	homeless := fleet{Replicas: []workload.Replica{{ID: "storefront-a", State: workload.Ready}}}
	if _, err := edge.ReadyReplicas(homeless, "storefront", 8081)(t.Context()); err == nil {
		t.Error("a replica without an address was taken")
	}
}

type fleet workload.Workload

func (f fleet) Workload(context.Context, string) (workload.Workload, error) {
	return workload.Workload(f), nil
}

func TestAClientThatCannotWorkIsRefused(t *testing.T) {
	if _, err := edge.NewClient(edge.Config{Token: token}); err == nil || !strings.Contains(err.Error(), "--edge-control-url") {
		t.Errorf("nowhere: %v", err)
	}
	if _, err := edge.NewClient(edge.Config{Instances: edge.Fixed("http://x")}); err == nil || !strings.Contains(err.Error(), "--edge-control-token-file") {
		t.Errorf("no token: %v", err)
	}
}
