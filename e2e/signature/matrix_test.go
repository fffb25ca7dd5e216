package signature

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// look is one with every fact that a predicate reads, as the steady state has them, and the changes of a fault.
func look(after float64, changes ...Fact) Look {
	known := func(name, subject string, value float64) Fact {
		return Fact{Name: name, Subject: subject, Status: Known, Value: value}
	}
	l := Look{After: after, Facts: []Fact{
		known(SessionsIdleLong, "orders-1", 2), known(PoolIdle, "orders-1", 2), known(ReleaseLead, "orders-1", 0),
		known(SessionsActiveLong, "orders-1", 0), known(LockRootOldest, "server", 0), known(RoundTripQuick, "orders-1", 1),
		known(ForeignSessions, "server", 1), known(ServerMaxConnections, "server", 40), known(CallTimeMean, "payments", 0.08),
		known(EdgeArrivalRatio, "storefront", 1), known(ReplicaAge, "orders-1", 60), known(EdgeGoodRatio, "storefront", 1),
		known(PoolTimeouts, "orders-1", 0), known(PoolHoldMean, "orders-1", 0.1),
		known(PoolConnectRefusals, "orders-1", 0),
	}}
	for _, change := range changes {
		at := slices.IndexFunc(l.Facts, func(f Fact) bool { return f.Name == change.Name && f.Subject == change.Subject })
		l.Facts[at].Value, l.Facts[at].Status = change.Value, change.Status
	}
	return l
}

func recording(experiment string, looks ...Look) Recording {
	return Recording{Experiment: experiment, Seed: 1, Before: look(-1), During: looks}
}

func fact(name, subject string, value float64) Fact {
	return Fact{Name: name, Subject: subject, Status: Known, Value: value}
}

func TestEvidenceSeparatesWhenItAlwaysHoldsForOneAndNeverForTheOther(t *testing.T) {
	slowPayments := fact(CallTimeMean, "payments", 0.4)
	mute := Fact{Name: CallTimeMean, Subject: "payments", Status: Unknown}
	for name, tc := range map[string]struct {
		looks []Look
		want  Verdict
		never bool // the signature was never seen
	}{
		"in every look":      {[]Look{look(4, slowPayments), look(6, slowPayments)}, Yes, false},
		"in no look":         {[]Look{look(4), look(6)}, No, true},
		"in some":            {[]Look{look(4, slowPayments), look(6)}, Mixed, false},
		"once it was mute":   {[]Look{look(4, slowPayments), look(6, mute)}, Blind, false},
		"it was always mute": {[]Look{look(4, mute), look(6, mute)}, Blind, true},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Judge([]Recording{recording("x", tc.looks...)})
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Finding("x", "slow-payments"); got.Verdict() != tc.want || got.Held+got.Failed+got.Mute != 2 {
				t.Errorf("%+v, want %s", got, tc.want)
			}
			separated := slices.ContainsFunc(m.Separate("x", Healthy), func(p Predicate) bool { return p.Name == "slow-payments" })
			if separated != (tc.want == Yes) {
				t.Errorf("separated from healthy: %v", separated)
			}
			always, never := m.Matches("x", Signature{Shows: []string{"slow-payments"}})
			if always != (tc.want == Yes) || never != tc.never {
				t.Errorf("it has the signature always %v, never %v", always, never)
			}
		})
	}
}

func TestARecordingThatLacksAFactIsRefusedByName(t *testing.T) {
	thin := look(4)
	thin.Facts = slices.DeleteFunc(thin.Facts, func(f Fact) bool { return f.Name == RoundTripQuick })
	_, err := Judge([]Recording{recording("x", thin)})
	if err == nil || !strings.Contains(err.Error(), RoundTripQuick) || !strings.Contains(err.Error(), "signature record x --seed=1") {
		t.Errorf("error %v", err)
	}
}

func TestLooksOfTheAlertsFirstMomentsDoNotCount(t *testing.T) {
	injected := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	alert := injected.Add(2 * time.Second)
	r := recording("x", look(2), look(4.9), look(5), look(7))
	r.InjectedAt, r.AlertAt = injected, &alert
	if got := r.Settled(); len(got) != 2 || got[0].After != 5 {
		t.Errorf("counted %+v", got)
	}
	r.During = r.During[:2]
	if _, err := Judge([]Recording{r}); err == nil || !strings.Contains(err.Error(), "has no look") {
		t.Errorf("without a look that counts: %v", err)
	}
}

func TestConnectionsAreLeakedWhenThePoolHasNoneIdleAndTheServerSeesThemIdle(t *testing.T) {
	for name, tc := range map[string]struct {
		changes       []Fact
		leaked, newer float64
	}{
		"the pool has what is idle":        {nil, 0, 0},
		"the pool has lost them":           {[]Fact{fact(SessionsIdleLong, "orders-1", 4), fact(PoolIdle, "orders-1", 0)}, 4, 0},
		"on a release that is new":         {[]Fact{fact(SessionsIdleLong, "orders-1", 4), fact(PoolIdle, "orders-1", 0), fact(ReleaseLead, "orders-1", 90)}, 4, 4},
		"a new release alone is no leak":   {[]Fact{fact(ReleaseLead, "orders-1", 90)}, 0, 0},
		"more idle in the pool is no debt": {[]Fact{fact(SessionsIdleLong, "orders-1", 0)}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := look(4, tc.changes...)
			if got, known := leaked(false)(l); !known || got != tc.leaked {
				t.Errorf("leaked %g, %v; want %g", got, known, tc.leaked)
			}
			if got, known := leaked(true)(l); !known || got != tc.newer {
				t.Errorf("leaked on the new release %g, %v; want %g", got, known, tc.newer)
			}
		})
	}
}

func TestEveryPredicateKnowsTheSteadyStateAndSaysWhereItsThresholdComesFrom(t *testing.T) {
	for _, p := range Predicates() {
		if value, known := p.Value(look(4)); !known || p.Holds(value) {
			t.Errorf("%s: %g, %v: it must know the steady state, and not hold there", p.Name, value, known)
		}
		if p.Why == "" || p.Says == "" || len(p.Reads) == 0 {
			t.Errorf("%s does not explain itself", p.Name)
		}
		empty := Look{}
		if _, known := p.Value(empty); known {
			t.Errorf("%s knows something from nothing", p.Name)
		}
	}
}

func TestASignatureIsSeenFromTheFirstLookOnThatHasAllOfIt(t *testing.T) {
	injected := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	alert := injected.Add(time.Second)
	early := recording("traffic-surge", look(1), look(3.5, fact(EdgeArrivalRatio, "storefront", 2)))
	late := recording("traffic-surge", look(1), look(3.5, fact(EdgeArrivalRatio, "storefront", 2), fact(PoolHoldMean, "orders-1", 1)),
		look(6, fact(EdgeArrivalRatio, "storefront", 2)))
	early.InjectedAt, early.AlertAt, late.InjectedAt, late.AlertAt = injected, &alert, injected, &alert
	if at, seen := SeenAfter("traffic-surge", []Recording{early}); !seen || at != 2.5 {
		t.Errorf("seen %g s after the alert, %v; want 2.5", at, seen)
	}
	if at, seen := SeenAfter("traffic-surge", []Recording{early, late}); !seen || at != 5 {
		t.Errorf("of two runs the later counts: %g s, %v; want 5", at, seen)
	}
	if _, seen := SeenAfter("slow-query", []Recording{early, recording("slow-query", look(1))}); seen {
		t.Error("seen where it never was")
	}
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	folder := t.TempDir()
	alert := time.Date(2026, 3, 1, 12, 0, 2, 0, time.UTC)
	saved := recording("x", look(4), look(6))
	saved.AlertAt = &alert
	if _, err := saved.Save(folder); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(os.DirFS(folder))
	if err != nil || len(loaded) != 1 {
		t.Fatalf("%v, %v", loaded, err)
	}
	if got := loaded[0]; got.Experiment != "x" || len(got.During) != 2 || got.Before.After != -1 || !got.AlertAt.Equal(alert) ||
		!slices.Equal(got.During[1].Facts, saved.During[1].Facts) {
		t.Errorf("loaded %+v", got)
	}
	if err := os.Rename(folder+"/x-seed-1.json", folder+"/y-seed-1.json"); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(os.DirFS(folder)); err == nil || !strings.Contains(err.Error(), "call it x-seed-1.json") {
		t.Errorf("under another name: %v", err)
	}
}
