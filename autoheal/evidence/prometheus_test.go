package evidence_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// canned answers each selector that contains the key with its series.
type canned map[string][]evidence.Series

func (c canned) Samples(_ context.Context, selector string) ([]evidence.Series, error) {
	for key, series := range c {
		if strings.Contains(selector, key) {
			if series == nil {
				return nil, errors.New("no answer")
			}
			return series, nil
		}
	}
	return nil, nil
}

// series has one sample a second, the last one so long ago.
func series(labels map[string]string, ago time.Duration, values ...float64) evidence.Series {
	s := evidence.Series{Labels: maps.Clone(labels)}
	for i, v := range values {
		s.Samples = append(s.Samples, evidence.Sample{At: now.Add(-ago - time.Duration(len(values)-1-i)*time.Second), Value: v})
	}
	return s
}

var orders1 = map[string]string{"job": "orders", "instance": "orders-1"}

func collect(t *testing.T, sampler evidence.Sampler) evidence.Facts {
	t.Helper()
	c, err := evidence.NewPrometheus(evidence.PrometheusConfig{Sampler: sampler, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return c.Collect(t.Context(), evidence.Scope{Workloads: []string{"orders", "inventory"}})
}

func TestPrometheusFacts(t *testing.T) {
	const ago = 400 * time.Millisecond
	status := func(name, code string) map[string]string {
		return map[string]string{"__name__": "http_server_request_duration_seconds_" + name, "http_response_status_code": code}
	}
	for _, test := range []struct {
		name          string
		answers       canned
		fact, subject string
		want          float64
		unknown       string // a part of the reason, where the fact must not be known
	}{
		{"a gauge is its last sample", canned{`state="idle"`: {series(orders1, ago, 3, 2, 1)}}, evidence.PoolIdle, "orders-1", 1, ""},
		{
			"two pools of one replica are added up",
			canned{`state="used"`: {series(orders1, ago, 3), series(orders1, ago, 4)}},
			evidence.PoolUsed, "orders-1", 7, "",
		},
		{"a stale gauge is unknown", canned{`state="idle"`: {series(orders1, 4*time.Second, 0)}}, evidence.PoolIdle, "orders-1", 0, "stale"},
		{"a gauge that failed is unknown", canned{`state="idle"`: nil}, evidence.PoolIdle, evidence.Prometheus, 0, "no answer"},
		{
			"timeouts are counted within three seconds",
			canned{"timeouts": {series(orders1, ago, 0, 10, 12, 15, 17)}},
			evidence.PoolTimeouts, "orders-1", 5, "",
		},
		{"a counter that fell began anew at zero", canned{"timeouts": {series(orders1, ago, 100, 2, 3)}}, evidence.PoolTimeouts, "orders-1", 3, ""},
		{"one sample is no increase", canned{"timeouts": {series(orders1, ago, 7)}}, evidence.PoolTimeouts, "orders-1", 0, "fewer than two"},
		{"refused connects are counted", canned{"53300": {series(orders1, ago, 0, 2)}}, evidence.PoolConnectRefusals, "orders-1", 2, ""},
		{"releases are counted", canned{"use_time": {series(orders1, ago, 5, 9, 9, 9)}}, evidence.PoolReleases, "orders-1", 4, ""},
		{
			"the last release came after the sample before the last rise",
			canned{"use_time": {series(orders1, ago, 5, 9, 9, 9)}},
			evidence.PoolLastReleaseAge, "orders-1", 3.4, "",
		},
		{"without a release there is no last one", canned{"use_time": {series(orders1, ago, 9, 9)}}, evidence.PoolLastReleaseAge, "orders-1", 0, ""},
		{"the edge's ratio leaves 4xx out", canned{"http_server": {
			series(status("count", "201"), ago, 0, 90), series(status("bucket", "201"), ago, 0, 80),
			series(status("count", "503"), ago, 0, 10), series(status("count", "422"), ago, 0, 50),
		}}, evidence.EdgeGoodRatio, "storefront", 0.8, ""},
		{"errors that appear for the first time count from zero", canned{"http_server": {
			series(status("count", "201"), ago, 0, 50), series(status("bucket", "201"), ago, 0, 50), series(status("count", "503"), ago, 50),
		}}, evidence.EdgeGoodRatio, "storefront", 0.5, ""},
		{
			"an edge without traffic is unknown",
			canned{"http_server": {series(status("count", "201"), ago, 9, 9)}},
			evidence.EdgeGoodRatio, "storefront", 0, "no checkout",
		},
		{"an edge without series is unknown", canned{}, evidence.EdgeGoodRatio, "storefront", 0, "no fresh sample"},
	} {
		t.Run(test.name, func(t *testing.T) {
			facts := collect(t, test.answers)
			fact, known := facts.Get(test.fact, test.subject)
			if test.unknown != "" {
				if known || fact.Value != 0 || !strings.Contains(fact.Detail, test.unknown) {
					t.Errorf("%+v; want unknown: ...%s...", fact, test.unknown)
				}
				return
			}
			if d := fact.Value - test.want; d > 1e-9 || d < -1e-9 {
				t.Errorf("%+v; want %g", fact, test.want)
			}
			if known && (fact.Query == "" || fact.Unit == "" || fact.At.IsZero()) {
				t.Errorf("%+v lacks its query, unit or time", fact)
			}
		})
	}
}

// questions remembers the selectors that were asked, and answers like canned.
type questions struct {
	canned
	mu    sync.Mutex
	asked []string
}

func (q *questions) Samples(ctx context.Context, selector string) ([]evidence.Series, error) {
	q.mu.Lock()
	q.asked = append(q.asked, selector)
	q.mu.Unlock()
	return q.canned.Samples(ctx, selector)
}

// every spreads a series' samples out: its last one stays where it is.
func every(interval time.Duration, s evidence.Series) evidence.Series {
	last := s.Samples[len(s.Samples)-1].At
	for i := range s.Samples {
		s.Samples[i].At = last.Add(-time.Duration(len(s.Samples)-1-i) * interval)
	}
	return s
}

func TestEveryWindowFollowsTheScrapeInterval(t *testing.T) {
	const ago, scrape = 4 * time.Second, 5 * time.Second
	sampler := &questions{canned: canned{
		`state="idle"`: {series(orders1, 14*time.Second, 0)},
		`state="used"`: {series(orders1, 16*time.Second, 4)},
		"timeouts":     {every(scrape, series(orders1, ago, 0, 10, 12, 15, 17))},
		"use_time":     {every(scrape, series(orders1, ago, 5, 9, 9, 9))},
	}}
	c, err := evidence.NewPrometheus(evidence.PrometheusConfig{
		Sampler: sampler, Interval: scrape, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	found := evidence.Facts(c.Collect(t.Context(), evidence.Scope{Workloads: []string{"orders"}}))
	for name, want := range map[string]float64{
		evidence.PoolIdle: 0, evidence.PoolTimeouts: 5, evidence.PoolReleases: 4, evidence.PoolLastReleaseAge: 19,
	} {
		if got, known := found.Get(name, "orders-1"); !known || got.Value != want {
			t.Errorf("%s is %+v; want %g", name, got, want)
		}
	}
	if used, known := found.Get(evidence.PoolUsed, "orders-1"); known || !strings.Contains(used.Detail, "stale: the last sample is 16.0 s old; 15s is the limit") {
		t.Errorf("a sample of more than three scrapes ago is %+v", used)
	}
	for _, selector := range sampler.asked {
		want := "[25s]"
		switch {
		case strings.HasPrefix(selector, "up{"):
			want = "[5m:5s]"
		case strings.HasPrefix(selector, "http_server_request_duration_seconds_count"):
			want = "[10m]"
		}
		if !strings.HasSuffix(selector, want) {
			t.Errorf("asked for %s; want %s", selector, want)
		}
	}
}

func TestAScrapeIntervalThatRunsBackwardsIsRefused(t *testing.T) {
	if _, err := evidence.NewPrometheus(evidence.PrometheusConfig{Sampler: canned{}, Interval: -time.Second}); err == nil {
		t.Error("it was accepted")
	}
}

// pools tells of two replicas' pools, of Prometheus as a source, and of the edge.
type pools struct{}

func (pools) Source() string { return evidence.Prometheus }

func (pools) Collect(context.Context, evidence.Scope) []incident.Fact {
	return []incident.Fact{
		{Name: evidence.PoolUsed, Source: evidence.Prometheus, Subject: "orders-old"},
		{Name: evidence.PoolUsed, Source: evidence.Prometheus, Subject: "orders-new"},
		{Name: evidence.PoolIdle, Source: evidence.Prometheus, Subject: evidence.Prometheus, Status: incident.Unknown},
		{Name: evidence.EdgeGoodRatio, Source: evidence.Prometheus, Subject: "storefront"},
	}
}

func TestWhatPrometheusRemembersOfAReplicaThatIsGoneIsNoEvidence(t *testing.T) {
	for _, test := range []struct {
		name string
		list lister
		want []string
	}{
		{
			"its pool is left out",
			lister{{Name: "orders", Replicas: []workload.Replica{{ID: "orders-new"}}}},
			[]string{"orders-new", evidence.Prometheus},
		},
		{"unless nobody can tell who is there", nil, []string{"orders-new", "orders-old", evidence.Prometheus}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g, err := evidence.New(evidence.Config{Collectors: []evidence.Collector{pools{}}, Lister: test.list})
			if err != nil {
				t.Fatal(err)
			}
			found := g.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders"}}).Facts
			got := append(found.Subjects(evidence.PoolUsed), found.Subjects(evidence.PoolIdle)...)
			if !slices.Equal(got, test.want) {
				t.Errorf("pools are told of %v; want %v", got, test.want)
			}
			if edge := found.Subjects(evidence.EdgeGoodRatio); len(edge) != 1 {
				t.Errorf("the edge is told of %v", edge)
			}
		})
	}
}

// slow answers when its context ends.
type slow struct{}

func (slow) Source() string { return "tortoise" }

func (slow) Collect(ctx context.Context, _ evidence.Scope) []incident.Fact {
	<-ctx.Done()
	return nil
}

type lister []workload.Workload

func (l lister) Workloads(context.Context) ([]workload.Workload, error) {
	if l == nil {
		return nil, errors.New("control API is away")
	}
	return l, nil
}

func TestASlowSourceIsUnknownAndHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := evidence.New(evidence.Config{
			Collectors: []evidence.Collector{slow{}},
			Lister:     lister{{Name: "orders", Replicas: []workload.Replica{{ID: "orders-1", State: workload.Ready, StartedAt: time.Now()}}}, {Name: "other"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		got := g.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders"}, Round: 3})
		if took := time.Since(begun); took != time.Second {
			t.Errorf("it took %s; the deadline is 1 s", took)
		}
		if len(got.Workloads) != 1 || got.Workloads[0].Name != "orders" {
			t.Errorf("workloads %+v; want orders alone", got.Workloads)
		}
		if ready, known := got.Facts.Get(evidence.ReplicaReady, "orders-1"); !known || ready.Value != 1 || ready.Round != 3 {
			t.Errorf("replica_ready is %+v", ready)
		}
		if late, known := got.Facts.Get("source", "tortoise"); known || !strings.Contains(late.Detail, "did not answer within") {
			t.Errorf("the slow source's fact is %+v", late)
		}
	})
}

// hearsay is a slow source on which nothing hangs.
type hearsay struct{ slow }

func (hearsay) Source() string { return "hearsay" }

func (hearsay) Corroborates() {}

func TestASourceOnWhichNothingHangsIsWaitedForAMomentOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := evidence.New(evidence.Config{
			Collectors: []evidence.Collector{hearsay{}}, Offenders: never{}, Lister: lister{{Name: "orders"}}, Grace: 20 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		got := g.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders"}})
		if took := time.Since(begun); took != 20*time.Millisecond {
			t.Errorf("it took %s; want the grace of 20 ms", took)
		}
		if late, known := got.Facts.Get("source", "hearsay"); known || !strings.Contains(late.Detail, "nothing hangs on it") || len(got.Facts) != 1 {
			t.Errorf("facts %+v", got.Facts)
		}
	})
}

// never knows of no request until its context ends.
type never struct{}

func (never) Offenders(ctx context.Context, _ []string) ([]evidence.Request, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAWorkloadListThatFailsIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := evidence.New(evidence.Config{Collectors: []evidence.Collector{slow{}}, Lister: lister(nil)})
		if err != nil {
			t.Fatal(err)
		}
		got := g.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders"}})
		if fact, known := got.Facts.Get("source", evidence.Workloads); known || got.Workloads != nil || fact.Detail != "control API is away" {
			t.Errorf("fact %+v, workloads %v", fact, got.Workloads)
		}
	})
}

// server is a database server with these sessions.
type server []evidence.Session

func (s server) Activity(context.Context) (evidence.Activity, error) {
	return evidence.Activity{Sessions: s, MaxConnections: 40, Query: "q"}, nil
}

func TestSessionsAreCountedForTheReplicaThatOwnsThem(t *testing.T) {
	c, err := evidence.NewPostgres(evidence.PostgresConfig{Server: server{
		{ApplicationName: "orders/orders-1", State: "idle", InState: 1.5},
		{ApplicationName: "orders/orders-1", State: "idle", InState: 0.2},
		{ApplicationName: "orders/orders-1", State: "idle in transaction (aborted)"},
		{ApplicationName: "orders/orders-1", State: "active", WaitEventType: "Lock"},
		{ApplicationName: "orders/orders-1", State: ""}, // not allowed to see it: never an idle one
		{ApplicationName: "orders/orders-2", State: "active"},
		{ApplicationName: "else/else-1", State: "idle"},
		{ApplicationName: "psql", State: "idle"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	facts := evidence.Facts(c.Collect(t.Context(), evidence.Scope{Workloads: []string{"orders"}}))
	for name, want := range map[string]float64{
		evidence.Sessions: 5, evidence.SessionsIdle: 2, evidence.SessionsIdleLong: 1, evidence.SessionsInTransaction: 1,
		evidence.SessionsActive: 2, evidence.SessionsLockWait: 1, evidence.SessionsIdleYoungest: 0.2, evidence.SessionsIdleOldest: 1.5,
	} {
		if got, known := facts.Get(name, "orders-1"); !known || got.Value != want {
			t.Errorf("%s is %+v; want %g", name, got, want)
		}
	}
	if _, known := facts.Get(evidence.SessionsIdleYoungest, "orders-2"); known {
		t.Error("a replica without idle sessions has an idle age")
	}
	if got := facts.Subjects(evidence.Sessions); len(got) != 2 {
		t.Errorf("sessions are told of %v; want the two replicas of orders", got)
	}
}
