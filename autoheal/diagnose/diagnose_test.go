package diagnose_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// leaking are the facts of a replica that leaks: every sign is there.
func leaking() map[string]float64 {
	return map[string]float64{
		evidence.PoolIdle: 0, evidence.PoolUsed: 4, evidence.PoolMax: 4, evidence.PoolPending: 8, evidence.PoolTimeouts: 12,
		evidence.PoolReleases: 6, evidence.PoolLastReleaseAge: 2.4, evidence.PoolConnectRefusals: 0,
		evidence.Sessions: 4, evidence.SessionsIdle: 4, evidence.SessionsIdleLong: 4, evidence.SessionsIdleYoungest: 1.3,
		evidence.SessionsIdleOldest: 1.7, evidence.SessionsActive: 0, evidence.SessionsInTransaction: 0,
		evidence.SessionsLockWait: 0, evidence.ReplicaAge: 600, evidence.ReplicaReady: 1,
	}
}

// well are the facts of a replica that serves.
func well() map[string]float64 {
	f := leaking()
	f[evidence.PoolIdle], f[evidence.PoolUsed], f[evidence.PoolTimeouts], f[evidence.PoolLastReleaseAge] = 2, 2, 0, 1.2
	f[evidence.SessionsIdle], f[evidence.SessionsIdleLong], f[evidence.SessionsInTransaction] = 2, 0, 2
	f[evidence.SessionsIdleYoungest], f[evidence.SessionsIdleOldest] = 0.01, 0.03
	return f
}

func with(f map[string]float64, changes map[string]float64) map[string]float64 {
	for name, v := range changes {
		f[name] = v
	}
	return f
}

func without(f map[string]float64, names ...string) map[string]float64 {
	for _, name := range names {
		delete(f, name)
	}
	return f
}

func facts(replicas map[string]map[string]float64, edge float64) evidence.Facts {
	var all evidence.Facts
	for replica, values := range replicas {
		for name, v := range values {
			source := evidence.Prometheus
			if strings.HasPrefix(name, "sessions") {
				source = evidence.Postgres
			}
			all = append(all, incident.Fact{Name: name, Source: source, Subject: replica, Value: v, Status: incident.Known})
		}
	}
	if edge >= 0 {
		all = append(all, incident.Fact{
			Name: evidence.EdgeGoodRatio, Source: evidence.Prometheus, Subject: "storefront", Value: edge, Status: incident.Known,
		})
	}
	return all
}

func TestAConnectionLeakIsNamed(t *testing.T) {
	for _, test := range []struct {
		name     string
		replicas map[string]map[string]float64
		subjects []string
	}{
		{"when every sign is there", map[string]map[string]float64{"orders-1": leaking()}, []string{"orders-1"}},
		{"on the leaking replica only", map[string]map[string]float64{"orders-1": well(), "orders-2": leaking()}, []string{"orders-2"}},
		{"on all that leak", map[string]map[string]float64{"orders-2": leaking(), "orders-1": leaking()}, []string{"orders-1", "orders-2"}},
		{
			"when no connection was given back within the samples at all",
			map[string]map[string]float64{"orders-1": without(with(leaking(), map[string]float64{evidence.PoolReleases: 0}), evidence.PoolLastReleaseAge)},
			[]string{"orders-1"},
		},
		{
			"in a pool of eight with one backend missing from the picture",
			map[string]map[string]float64{"orders-1": with(leaking(), map[string]float64{
				evidence.PoolUsed: 8, evidence.PoolMax: 8, evidence.Sessions: 8, evidence.SessionsIdle: 7, evidence.SessionsIdleLong: 7,
				evidence.SessionsActive: 1,
			})},
			[]string{"orders-1"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := diagnose.Diagnose(facts(test.replicas, 0.4), 1, time.Second)
			if r.Diagnosis.Cause != incident.ConnectionLeak || !slices.Equal(r.Diagnosis.Subjects, test.subjects) {
				t.Errorf("cause %s on %v: %s", r.Diagnosis.Cause, r.Diagnosis.Subjects, r.Diagnosis.Summary)
			}
		})
	}
}

func TestAConnectionLeakIsNotNamed(t *testing.T) {
	for _, test := range []struct {
		name    string
		changes map[string]float64
		because string
	}{
		{"while a connection is idle in the pool", map[string]float64{evidence.PoolIdle: 1, evidence.PoolUsed: 3}, "the pool is not full"},
		{"while connections are still being made", map[string]float64{evidence.PoolUsed: 3}, "the pool is not full"},
		{"while nobody gives up waiting", map[string]float64{evidence.PoolTimeouts: 0}, "no caller gave up"},
		{"before the backends are idle for longer than a hold can last", map[string]float64{evidence.SessionsIdleLong: 3}, "only 3 of its 4"},
		{"when the backends run queries", map[string]float64{
			evidence.SessionsIdle: 0, evidence.SessionsIdleLong: 0, evidence.SessionsActive: 4,
		}, "4 backends are active"},
		{"when the backends hold transactions open", map[string]float64{
			evidence.SessionsIdle: 0, evidence.SessionsIdleLong: 0, evidence.SessionsInTransaction: 4,
		}, "4 idle in transaction"},
		{"when a backend waits for a lock", map[string]float64{evidence.SessionsLockWait: 1}, "wait for a lock"},
		{"when the server refuses connections", map[string]float64{evidence.PoolConnectRefusals: 2}, "53300"},
		{"when the server shows few sessions", map[string]float64{
			evidence.Sessions: 1, evidence.SessionsIdle: 1, evidence.SessionsIdleLong: 1,
		}, "only 1 of its 1"},
		{"when connections go on being given back", map[string]float64{evidence.PoolLastReleaseAge: 1.1}, "was given back 1.1 s ago"},
		{"when the replica is younger than its backends' idleness", map[string]float64{
			evidence.ReplicaAge: 1.1, evidence.SessionsIdleOldest: 30,
		}, "too young"},
		{"when the replica has only just started", map[string]float64{evidence.ReplicaAge: 0.5}, "too young"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := diagnose.Diagnose(facts(map[string]map[string]float64{"orders-1": with(leaking(), test.changes)}, 0.4), 1, time.Second)
			inconclusive(t, r, test.because)
		})
	}
}

func TestWhatIsUnknownNeverLeadsToACause(t *testing.T) {
	for name := range leaking() {
		if name == evidence.PoolPending || name == evidence.ReplicaReady {
			continue // told for the record; no sign hangs on them
		}
		t.Run(name, func(t *testing.T) {
			r := diagnose.Diagnose(facts(map[string]map[string]float64{"orders-1": without(leaking(), name)}, 0.4), 1, time.Second)
			if name == evidence.PoolMax { // without it there is not even a pool to speak of
				inconclusive(t, r, "no pool's metrics are known")
				return
			}
			inconclusive(t, r, "unknown")
		})
	}
}

func inconclusive(t *testing.T, r diagnose.Result, because string) {
	t.Helper()
	if r.Diagnosis.Cause != incident.Inconclusive || len(r.Diagnosis.Subjects) != 0 {
		t.Errorf("cause %s on %v; want inconclusive", r.Diagnosis.Cause, r.Diagnosis.Subjects)
	}
	leak := r.Diagnosis.Ranked[slices.IndexFunc(r.Diagnosis.Ranked, func(c incident.Candidate) bool { return c.Cause == incident.ConnectionLeak })]
	if against := strings.Join(leak.Against, "; "); !strings.Contains(against, because) {
		t.Errorf("against a leak is %q; want ...%s...", against, because)
	}
	if r.Diagnosis.Ranked[0].Score >= diagnose.Certain {
		t.Errorf("score %v", r.Diagnosis.Ranked[0].Score)
	}
}

func TestTheNextLookWaitsForTheYoungestSign(t *testing.T) {
	young := with(leaking(), map[string]float64{evidence.SessionsIdleLong: 0, evidence.SessionsIdleYoungest: 0.3})
	r := diagnose.Diagnose(facts(map[string]map[string]float64{"orders-1": young}, 0.4), 1, time.Second)
	if r.LookAgainIn < 740*time.Millisecond || r.LookAgainIn > 760*time.Millisecond {
		t.Errorf("look again in %s; the backends are ripe in 0.7 s", r.LookAgainIn)
	}
}

// seen makes facts of what they are in a leak of one replica, with the pool's sample as old as given.
func seen(ago time.Duration, changes map[string]float64) evidence.Facts {
	all := facts(map[string]map[string]float64{"orders-1": with(leaking(), changes)}, 0.4)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, f := range all {
		all[i].At = now
		if f.Name == evidence.PoolUsed {
			all[i].At = now.Add(-ago)
		}
	}
	return all
}

// Between two scrapes of 5 s a pool may empty, its replica be restarted, and its backends fall idle; what was seen of it
// before is no proof of anything any more.
func TestASampleOfThePoolIsHeldOnlyAgainstWhatItCanTell(t *testing.T) {
	const scrape = 5 * time.Second
	for _, test := range []struct {
		name    string
		ago     time.Duration
		changes map[string]float64
		because string        // "" means that the leak is named
		again   time.Duration // then: when the next sample can be had
	}{
		{"backends that were idle already are a leak", 4 * time.Second, map[string]float64{
			evidence.SessionsIdleYoungest: 4.5, evidence.SessionsIdleOldest: 4.9, evidence.PoolLastReleaseAge: 9,
		}, "", 0},
		{"backends that have worked since may be idle in the pool by now", 4 * time.Second, map[string]float64{
			evidence.SessionsIdleYoungest: 2.5, evidence.SessionsIdleOldest: 2.9, evidence.PoolLastReleaseAge: 9,
		}, "a backend has worked since", 1200 * time.Millisecond},
		{"a pool that was seen before its replica's start is another one", 3 * time.Second, map[string]float64{
			evidence.ReplicaAge: 2, evidence.SessionsIdleYoungest: 1.5, evidence.SessionsIdleOldest: 1.9, evidence.PoolLastReleaseAge: 9,
		}, "before this start of the replica", 2200 * time.Millisecond},
		{"backends that are idle since, and not for long", 4 * time.Second, map[string]float64{
			evidence.SessionsIdleLong: 0, evidence.SessionsIdleYoungest: 0.3, evidence.SessionsIdleOldest: 0.9,
		}, "only 0 of its 4", 1200 * time.Millisecond},
		{"a sample that should be there by now is asked for soon", 6 * time.Second, map[string]float64{
			evidence.SessionsIdleYoungest: 2.5, evidence.SessionsIdleOldest: 2.9, evidence.PoolLastReleaseAge: 9,
		}, "a backend has worked since", 200 * time.Millisecond},
		{"where more is missing than time, time alone will not do", 4 * time.Second, map[string]float64{
			evidence.SessionsIdleYoungest: 2.5, evidence.SessionsIdleOldest: 2.9, evidence.PoolTimeouts: 0,
		}, "no caller gave up", 1250 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := diagnose.Diagnose(seen(test.ago, test.changes), 1, scrape)
			if test.because != "" {
				inconclusive(t, r, test.because)
				if r.LookAgainIn.Round(time.Millisecond) != test.again {
					t.Errorf("look again in %s; want %s", r.LookAgainIn, test.again)
				}
				return
			}
			if r.Diagnosis.Cause != incident.ConnectionLeak {
				t.Errorf("cause %s: %s", r.Diagnosis.Cause, r.Diagnosis.Summary)
			}
			if !strings.Contains(r.Diagnosis.Ranked[0].For[0], "gave up waiting for a connection within 15s") {
				t.Errorf("the window is not that of the scrapes: %s", r.Diagnosis.Ranked[0].For[0])
			}
		})
	}
}

func TestWhereNothingIsSeenYetTheNextSampleIsAwaited(t *testing.T) {
	for scrape, want := range map[time.Duration]time.Duration{time.Second: 1200 * time.Millisecond, 5 * time.Second: 5200 * time.Millisecond} {
		r := diagnose.Diagnose(facts(map[string]map[string]float64{"orders-1": well()}, 0.99), 1, scrape)
		if r.LookAgainIn != want {
			t.Errorf("scrapes of %s: look again in %s; want %s", scrape, r.LookAgainIn, want)
		}
	}
}

func TestTheSymptomIsGone(t *testing.T) {
	for _, test := range []struct {
		name  string
		facts evidence.Facts
		want  bool
	}{
		{"when the edge is good and the pools have room", facts(map[string]map[string]float64{"orders-1": well()}, 0.99), true},
		{"when a full pool turns nobody away", facts(map[string]map[string]float64{
			"orders-1": with(well(), map[string]float64{evidence.PoolIdle: 0}),
		}, 0.99), true},
		{"not while the edge is bad", facts(map[string]map[string]float64{"orders-1": well()}, 0.9), false},
		{"not while the edge is unknown", facts(map[string]map[string]float64{"orders-1": well()}, -1), false},
		{"not while a pool turns callers away", facts(map[string]map[string]float64{"orders-1": leaking()}, 0.99), false},
		{"not while a pool is unknown", facts(map[string]map[string]float64{"orders-1": without(well(), evidence.PoolTimeouts)}, 0.99), false},
		{"not while the server refuses connections", facts(map[string]map[string]float64{
			"orders-1": with(well(), map[string]float64{evidence.PoolConnectRefusals: 1}),
		}, 0.99), false},
		{"not while a source did not answer", append(facts(map[string]map[string]float64{"orders-1": well()}, 0.99),
			incident.Fact{Name: "x", Source: evidence.Prometheus, Status: incident.Unknown}), false},
		{"not when nothing is known at all", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := diagnose.Diagnose(test.facts, 1, time.Second)
			if r.Gone != test.want {
				t.Errorf("gone %v; want %v", r.Gone, test.want)
			}
			if r.Gone && r.LookAgainIn <= time.Second {
				t.Errorf("look again in %s, at the same sample perhaps", r.LookAgainIn)
			}
		})
	}
}
