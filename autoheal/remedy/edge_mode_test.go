package remedy

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/edge"
	"github.com/faultline-lab/faultline/autoheal/edge/edgetest"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// gate is an edge of some replicas, spoken to by the real client without a network, so that time can be virtual.
type gate struct {
	replicas []*edgetest.Replica
	// loseAnswers are changes that happen although the caller sees an error.
	loseAnswers int
	away        bool
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.away {
		return nil, errLost
	}
	answer := httptest.NewRecorder()
	for _, replica := range g.replicas {
		if replica.Name == r.URL.Host {
			replica.ServeHTTP(answer, r)
		}
	}
	if g.loseAnswers > 0 && r.Method != http.MethodGet {
		g.loseAnswers--
		return nil, errLost
	}
	return answer.Result(), nil
}

func (g *gate) client(t *testing.T) *edge.Client {
	t.Helper()
	c, err := edge.NewClient(edge.Config{
		Token: "token", Client: &http.Client{Transport: g},
		Instances: func(context.Context) ([]edge.Instance, error) {
			var all []edge.Instance
			for _, r := range g.replicas {
				all = append(all, edge.Instance{ID: r.Name, URL: "http://" + r.Name})
			}
			return all, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newGate(names ...string) *gate {
	g := &gate{}
	for _, name := range names {
		g.replicas = append(g.replicas, edgetest.New(name, "token"))
	}
	return g
}

// told is what somebody else has told one replica.
func (g *gate) told(t *testing.T, replica int, mode, by string) {
	t.Helper()
	one := &gate{replicas: g.replicas[replica : replica+1]}
	_, err := one.client(t).SetMode(t.Context(), edge.ModeChange{Mode: mode, If: edge.Normal, By: by, For: time.Minute, Admit: 9})
	if err != nil {
		t.Fatal(err)
	}
}

func (g *gate) modes() string {
	var all []string
	for _, r := range g.replicas {
		all = append(all, r.State().Mode)
	}
	return strings.Join(all, " ")
}

func toAccept() Application {
	a := application(incident.EdgeTarget, "storefront", edge.Normal, edge.Accept)
	return a
}

func TestAModeIsForAnEdgeThatIsInNormal(t *testing.T) {
	for name, tc := range map[string]struct {
		edge *edge.State
		why  string
	}{
		"normal":            {&edge.State{Mode: edge.Normal}, ""},
		"unknown":           {nil, "does not say in which mode"},
		"in disagreement":   {&edge.State{}, "in different modes"},
		"somebody's accept": {&edge.State{Mode: edge.Accept, ModeBy: "alice"}, "in accept already, as alice asked"},
	} {
		t.Run(name, func(t *testing.T) {
			targets, why := accept(door{workload: "shop"}).Targets(Sight{Edge: tc.edge}, nil)
			if (len(targets) == 1) != (tc.why == "") || !strings.Contains(why, tc.why) {
				t.Fatalf("%+v, %q", targets, why)
			}
			if len(targets) == 1 && (targets[0].Workload != "shop" || targets[0].Is != edge.Normal || targets[0].To != edge.Accept) {
				t.Errorf("%+v", targets[0])
			}
		})
	}
}

func TestAccept(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*testing.T, *gate)
		resumed bool
		result  string
		detail  string
		modes   string
	}{
		"is set on every replica": {func(*testing.T, *gate) {}, false, incident.ResultDone, "in mode accept instead of normal", "accept accept"},
		"is left alone where somebody else has set another mode since": {
			func(t *testing.T, g *gate) { g.told(t, 0, edge.Shed, "alice"); g.told(t, 1, edge.Shed, "alice") }, false,
			incident.ResultSkipped, "as alice asked", "shed shed",
		},
		"is left to whoever has set it since": {
			func(t *testing.T, g *gate) { g.told(t, 0, edge.Accept, "alice"); g.told(t, 1, edge.Accept, "alice") }, false,
			incident.ResultSkipped, "as alice asked", "accept accept",
		},
		"is ours where an earlier life of the healer set it": {
			func(t *testing.T, g *gate) {
				g.told(t, 0, edge.Accept, "autoheal/i")
				g.told(t, 1, edge.Accept, "autoheal/i")
			}, true,
			incident.ResultDone, "", "accept accept",
		},
		"is completed where an earlier life of the healer got half way": {
			func(t *testing.T, g *gate) { g.told(t, 0, edge.Accept, "autoheal/i") }, true, incident.ResultDone, "", "accept accept",
		},
		"survives a lost answer":          {func(_ *testing.T, g *gate) { g.loseAnswers = 1 }, false, incident.ResultDone, "", "accept accept"},
		"fails where nobody answers":      {func(_ *testing.T, g *gate) { g.away = true }, false, incident.ResultFailed, "does not answer at its control port", "normal normal"},
		"fails where one does not follow": {func(t *testing.T, g *gate) { g.told(t, 1, edge.Shed, "alice") }, false, incident.ResultFailed, "1 of 2 replicas of the edge did not", "accept shed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate("storefront-a", "storefront-b")
				tc.change(t, g)
				a := toAccept()
				a.Resumed = tc.resumed
				effect := accept(door{edge: g.client(t)}).Apply(t.Context(), a)
				if effect.Result != tc.result || !strings.Contains(effect.Detail, tc.detail) || g.modes() != tc.modes {
					t.Errorf("%+v, modes %s", effect, g.modes())
				}
				for _, r := range g.replicas {
					if r.Changes > 1 {
						t.Errorf("%s was changed %d times", r.Name, r.Changes)
					}
				}
				if effect.Result == incident.ResultDone && (effect.Until == nil || time.Until(*effect.Until) > 20*time.Second) {
					t.Errorf("it lasts until %v", effect.Until)
				}
			})
		})
	}
}

func TestAModeIsTakenBackOnceAndOnlyOurs(t *testing.T) {
	for name, tc := range map[string]struct {
		mode, by string
		result   string
		left     string
	}{
		"ours":                                  {edge.Accept, "autoheal/i", incident.ResultDone, edge.Normal},
		"what is back already":                  {edge.Normal, "", incident.ResultDone, edge.Normal},
		"one that somebody else has taken over": {edge.Accept, "alice", incident.ResultSkipped, edge.Accept},
		"another mode":                          {edge.Shed, "alice", incident.ResultSkipped, edge.Shed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate("storefront-a")
				g.told(t, 0, tc.mode, tc.by)
				for range 2 {
					if effect := accept(door{edge: g.client(t)}).Undo(t.Context(), toAccept()); effect.Result != tc.result || g.modes() != tc.left {
						t.Errorf("%+v, mode %s", effect, g.modes())
					}
				}
			})
		})
	}
}

func TestAModeThatWasTakenBackIsNotBroughtBackByARequestThatWasLongOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate("storefront-a", "storefront-b")
		m := accept(door{edge: g.client(t)})
		a := toAccept()
		if effect := m.Apply(t.Context(), a); effect.Result != incident.ResultDone {
			t.Fatalf("%+v", effect)
		}
		if effect := m.Undo(t.Context(), a); effect.Result != incident.ResultDone {
			t.Fatalf("%+v", effect)
		}
		if _, err := m.set(t.Context(), a); !errors.Is(err, workload.ErrConflict) || g.modes() != "normal normal" {
			t.Errorf("%v, modes %s; want a conflict, and nothing changed", err, g.modes())
		}
		a.Key = "i/2/0/storefront"
		if effect := m.Apply(t.Context(), a); effect.Result != incident.ResultDone {
			t.Errorf("made anew: %+v", effect)
		}
	})
}

func TestAModeIsRenewedOnReplicasThatCameLaterToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate("storefront-a", "storefront-b")
		m := accept(door{edge: g.client(t)})
		if effect := m.Apply(t.Context(), toAccept()); effect.Result != incident.ResultDone {
			t.Fatalf("%+v", effect)
		}
		time.Sleep(15 * time.Second)
		g.replicas[1].Restart()
		until, err := m.Renew(t.Context(), toAccept())
		if err != nil || g.modes() != "accept accept" || time.Until(until) < 19*time.Second {
			t.Errorf("modes %s until %s, error %v", g.modes(), until, err)
		}
		time.Sleep(21 * time.Second) // nobody renewed it in time
		if _, err := m.Renew(t.Context(), toAccept()); err == nil || g.modes() != "normal normal" {
			t.Errorf("what has lapsed was set again without a new judgement: %v, modes %s", err, g.modes())
		}
	})
}

func TestShedTellsTheEdgeHowMuchToLetThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate("storefront-a", "storefront-b")
		a := application(incident.EdgeTarget, "storefront", edge.Normal, edge.Shed)
		a.Params = Params{AdmitParam: "60"}
		effect := shed(door{edge: g.client(t)}).Apply(t.Context(), a)
		if effect.Result != incident.ResultDone || g.replicas[0].State().Admit != 30 {
			t.Errorf("%+v, %+v", effect, g.replicas[0].State())
		}
	})
}
