package diagnose_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
)

// sick are the facts of a stack in which each thing is as it should be but that orders' pools are full of work, callers give up and customers
// suffer: no cause shows.
func sick() evidence.Facts {
	var all evidence.Facts
	all = append(all, busy("orders-1", "orders", 4)...)
	all = append(all, busy("orders-2", "orders", 4)...)
	all = append(all, busy("inventory-1", "inventory", 6)...)
	all = set(all, evidence.PoolTimeouts, "inventory-1", 0)
	all = set(all, evidence.PoolIdle, "inventory-1", 4)
	all = set(all, evidence.PoolUsed, "inventory-1", 2)
	for name, v := range map[string]float64{
		evidence.ServerSessions: 17, evidence.ServerMaxConnections: 40, evidence.ServerReservedSlots: 6, evidence.ForeignSessions: 1,
		evidence.LockRoots: 0, evidence.LockRootOldest: 0, evidence.LockRootWaiters: 0, evidence.TransactionOldest: 0.4,
	} {
		all = append(all, fact(name, evidence.Postgres, "server", v))
	}
	for name, v := range map[string]float64{
		evidence.EdgeGoodRatio: 0.4, evidence.EdgeArrivalRate: 40, evidence.EdgeArrivalBefore: 40, evidence.EdgeArrivalRatio: 1,
	} {
		all = append(all, fact(name, evidence.Prometheus, "storefront", v))
	}
	return append(all, fact(evidence.CallTimeMean, evidence.Prometheus, "payments", 0.08), fact(evidence.CallTimeMean, evidence.Prometheus, "inventory", 0.01))
}

func fact(name, source, subject string, value float64) incident.Fact {
	return incident.Fact{Name: name, Source: source, Subject: subject, Value: value, Status: incident.Known}
}

// busy are the facts of a replica whose connections all work.
func busy(replica, workload string, size float64) evidence.Facts {
	var all evidence.Facts
	for name, v := range map[string]float64{
		evidence.PoolIdle: 0, evidence.PoolUsed: size, evidence.PoolMax: size, evidence.PoolTimeouts: 12, evidence.PoolReleases: 60,
		evidence.PoolLastReleaseAge: 0.1, evidence.PoolConnectRefusals: 0, evidence.PoolHoldMean: 0.1, evidence.RoundTripQuick: 1,
		evidence.ReleaseLead: 0,
	} {
		all = append(all, fact(name, evidence.Prometheus, replica, v))
	}
	for name, v := range map[string]float64{
		evidence.Sessions: size, evidence.SessionsIdle: 0, evidence.SessionsIdleLong: 0, evidence.SessionsActive: 0, evidence.SessionsActiveLong: 0,
		evidence.SessionsInTransaction: size, evidence.SessionsLockWait: 0,
	} {
		all = append(all, fact(name, evidence.Postgres, replica, v))
	}
	age, of, version := fact(evidence.ReleaseAge, evidence.Prometheus, replica, 300), fact(evidence.ReplicaWorkload, evidence.Workloads, replica, 1),
		fact(evidence.ReplicaVersion, evidence.Workloads, replica, 1)
	age.Threshold, of.Detail, version.Detail = 300, workload, "v1"
	return append(all, age, of, version, fact(evidence.ReplicaAge, evidence.Workloads, replica, 600))
}

// set changes the value of a fact in a copy.
func set(all evidence.Facts, name, subject string, value float64) evidence.Facts {
	all = slices.Clone(all)
	for i, f := range all {
		if f.Name == name && f.Subject == subject {
			all[i].Value = value
			return all
		}
	}
	panic("no " + name + " of " + subject)
}

// one is a fact about one session.
func one(name, subject string, value float64, pid int, application string) incident.Fact {
	f := fact(name, evidence.Postgres, subject, value)
	f.Session = &incident.Session{PID: pid, Application: application, BackendStart: time.Unix(int64(pid), 0), QueryStart: time.Unix(int64(pid)+1, 0)}
	return f
}

// leakOn makes a replica leak all of its connections.
func leakOn(all evidence.Facts, replicas ...string) evidence.Facts {
	for _, replica := range replicas {
		for name, v := range map[string]float64{
			evidence.PoolReleases: 0, evidence.SessionsIdle: 4, evidence.SessionsIdleLong: 4, evidence.SessionsInTransaction: 0,
		} {
			all = set(all, name, replica, v)
		}
		all = append(all, fact(evidence.SessionsIdleYoungest, evidence.Postgres, replica, 1.3), fact(evidence.SessionsIdleOldest, evidence.Postgres, replica, 1.7))
	}
	return all
}

// partOn makes a replica leak some of its four connections; the rest goes on working.
func partOn(all evidence.Facts, replica string, n float64) evidence.Facts {
	all = set(set(set(all, evidence.SessionsIdle, replica, n), evidence.SessionsIdleLong, replica, n), evidence.SessionsInTransaction, replica, 4-n)
	return append(all, fact(evidence.SessionsIdleYoungest, evidence.Postgres, replica, 1.3), fact(evidence.SessionsIdleOldest, evidence.Postgres, replica, 1.7))
}

// newOn gives replicas a version that is 8 s old, after another one that served for a minute.
func newOn(all evidence.Facts, replicas ...string) evidence.Facts {
	for _, replica := range replicas {
		all = set(set(all, evidence.ReleaseAge, replica, 8), evidence.ReleaseLead, replica, 60)
		for i, f := range all {
			if f.Name == evidence.ReplicaVersion && f.Subject == replica {
				all[i].Detail = "v2"
			}
		}
	}
	return all
}

func lockedBy(all evidence.Facts, age float64) evidence.Facts {
	all = set(set(all, evidence.LockRootOldest, "server", age), evidence.SessionsLockWait, "inventory-1", 4)
	return append(all, one(evidence.LockRoot, "stock-count/1", age, 99, "stock-count/1"), one(evidence.LockWaiters, "inventory", 4, 99, "stock-count/1"),
		one(evidence.LockWaiters, "orders", 1, 99, "stock-count/1"))
}

func longOn(all evidence.Facts, replica string, n int) evidence.Facts {
	all = set(set(all, evidence.SessionsActiveLong, replica, float64(n)), evidence.SessionsActive, replica, float64(n))
	for i := range n {
		all = append(all, one(evidence.LongQuery, "orders/"+replica, 3, 10+i, "orders/"+replica))
	}
	return append(all, fact(evidence.SessionsActiveOldest, evidence.Postgres, replica, 3))
}

func hogged(all evidence.Facts, hogs int) evidence.Facts {
	all = set(set(all, evidence.ForeignSessions, "server", float64(hogs)+1), evidence.PoolConnectRefusals, "orders-1", 5)
	for i := range hogs {
		all = append(all, one(evidence.ForeignSession, "batch/1", 9, 200+i, "batch/1"))
	}
	return append(all, one(evidence.ForeignSession, "psql", 9, 300, "psql"))
}

func slowWay(all evidence.Facts) evidence.Facts {
	all = set(set(all, evidence.PoolHoldMean, "orders-1", 0.45), evidence.PoolHoldMean, "orders-2", 0.45)
	return set(set(all, evidence.RoundTripQuick, "orders-1", 0), evidence.RoundTripQuick, "orders-2", 0)
}

func slowCalls(all evidence.Facts, name string, mean float64) evidence.Facts {
	return set(all, evidence.CallTimeMean, name, mean)
}

func surge(all evidence.Facts, ratio float64) evidence.Facts {
	return set(set(all, evidence.EdgeArrivalRatio, "storefront", ratio), evidence.EdgeArrivalRate, "storefront", 40*ratio)
}

// cases are the eight causes, each as plain as it comes.
func cases() map[incident.Cause]evidence.Facts {
	return map[incident.Cause]evidence.Facts{
		incident.ConnectionLeak: leakOn(sick(), "orders-1", "orders-2"),
		incident.BadRelease:     newOn(leakOn(sick(), "orders-1", "orders-2"), "orders-1", "orders-2"),
		incident.LockContention: slowCalls(lockedBy(sick(), 3), "inventory", 0.4),
		incident.SlowQuery:      longOn(longOn(sick(), "orders-1", 4), "orders-2", 4),
		incident.NetworkLatency: slowWay(sick()),
		incident.ServerCap:      hogged(sick(), 20),
		incident.SlowDownstream: slowCalls(sick(), "payments", 0.38),
		incident.TrafficSurge:   surge(sick(), 2.5),
	}
}

func TestEachCauseIsNamedWithWhomItIsSeenOn(t *testing.T) {
	replicas := []string{"orders-1", "orders-2"}
	for cause, want := range map[incident.Cause]struct {
		workload string
		subjects []string
		sessions int
	}{
		incident.ConnectionLeak: {"orders", replicas, 0},
		incident.BadRelease:     {"orders", replicas, 0},
		incident.LockContention: {"inventory", []string{"stock-count/1"}, 1},
		incident.SlowQuery:      {"orders", []string{"orders/orders-1", "orders/orders-2"}, 8},
		incident.NetworkLatency: {"orders", replicas, 0},
		incident.ServerCap:      {"orders", []string{"batch/1"}, 20},
		incident.SlowDownstream: {"payments", []string{"payments"}, 0},
		incident.TrafficSurge:   {"orders", replicas, 0},
	} {
		t.Run(string(cause), func(t *testing.T) {
			d := diagnose.Diagnose(cases()[cause], 1, time.Second).Diagnosis
			if d.Cause != cause || d.Workload != want.workload || !slices.Equal(d.Subjects, want.subjects) || len(d.Sessions) != want.sessions {
				t.Errorf("%s of %s on %v with %d sessions: %s", d.Cause, d.Workload, d.Subjects, len(d.Sessions), d.Summary)
			}
			if second := d.Ranked[1]; second.Score > diagnose.Certain/2 {
				t.Errorf("%s comes as near as %.2f for %q", second.Cause, second.Score, second.For)
			}
			for _, s := range d.Sessions {
				if s.BackendStart.IsZero() || s.QueryStart.IsZero() {
					t.Errorf("%+v cannot be told from its successor", s)
				}
			}
		})
	}
}

func TestOtherEvidenceIsAnotherCauseOrNone(t *testing.T) {
	const none = incident.Inconclusive
	for name, tc := range map[string]struct {
		facts evidence.Facts
		want  incident.Cause
	}{
		"full pools alone are no cause":                                  {sick(), none},
		"two faults at once are a person's":                              {hogged(lockedBy(sick(), 3), 20), none},
		"a leak on an old version as well is none of the release":        {newOn(leakOn(sick(), "orders-1", "orders-2"), "orders-2"), incident.ConnectionLeak},
		"a leak on the new one of two versions is":                       {newOn(leakOn(sick(), "orders-2"), "orders-2"), incident.BadRelease},
		"a release that is too old is no evidence of a rollout":          {set(set(newOn(leakOn(sick(), "orders-1"), "orders-1"), evidence.ReleaseAge, "orders-1", 301), evidence.ReleaseAge, "orders-2", 301), incident.ConnectionLeak},
		"a new release without a leak is innocent":                       {newOn(sick(), "orders-1", "orders-2"), none},
		"two leaked connections are enough where the release is new":     {newOn(set(set(sick(), evidence.SessionsIdleLong, "orders-1", 2), evidence.SessionsIdle, "orders-1", 2), "orders-1", "orders-2"), incident.BadRelease},
		"half of a pool is enough where the rest works for all who come": {partOn(sick(), "orders-1", 3), incident.ConnectionLeak},
		"less than half of a pool is not enough":                         {partOn(sick(), "orders-1", 1), none},
		"one leaked connection may be a wrong count":                     {newOn(set(set(sick(), evidence.SessionsIdleLong, "orders-1", 1), evidence.SessionsIdle, "orders-1", 1), "orders-1"), none},
		"a root that is young is daily business":                         {lockedBy(sick(), 0.4), none},
		"half a pool of long statements is not most of it":               {longOn(sick(), "orders-1", 2), none},
		"a slow way of one replica alone is not the way":                 {set(sick(), evidence.RoundTripQuick, "orders-1", 0), none},
		"strangers below a quarter of the slots take no room":            {hogged(sick(), 8), none},
		"strangers who are many and each have few are nobody to end":     {many(sick()), none},
		"strangers hurt nobody while connects succeed":                   {set(hogged(sick(), 20), evidence.PoolConnectRefusals, "orders-1", 0), none},
		"a pool that is smaller than it should be is a refusal":          {set(set(hogged(sick(), 20), evidence.PoolConnectRefusals, "orders-1", 0), evidence.PoolUsed, "orders-1", 1), incident.ServerCap},
		"a call that is slow since its callee waits for a lock":          {slowCalls(lockedBy(sick(), 3), "inventory", 0.4), incident.LockContention},
		"a call that is slow since the way of its callee is":             {slowCalls(set(set(sick(), evidence.RoundTripQuick, "inventory-1", 0), evidence.PoolHoldMean, "inventory-1", 0.4), "inventory", 0.4), incident.NetworkLatency},
		"a call that is slow while a lock may be held":                   {slowCalls(set(sick(), evidence.TransactionOldest, "server", 3), "inventory", 0.4), none},
		"a call that is slow while nothing holds its callee":             {slowCalls(sick(), "inventory", 0.4), incident.SlowDownstream},
		"a way that only the measurement finds slow":                     {set(set(sick(), evidence.RoundTripQuick, "orders-1", 0), evidence.RoundTripQuick, "orders-2", 0), none},
		"calls that fail fast are slow nowhere (payments answers 500)":   {fast500(), none},
		"more customers who hold for longer are no surge":                {set(surge(sick(), 2.5), evidence.PoolHoldMean, "orders-1", 0.5), none},
		"a third more customers are none":                                {surge(sick(), 1.3), none},
	} {
		t.Run(name, func(t *testing.T) {
			if d := diagnose.Diagnose(tc.facts, 1, time.Second).Diagnosis; d.Cause != tc.want {
				t.Errorf("%s, want %s: %s", d.Cause, tc.want, d.Summary)
			}
		})
	}
}

func many(all evidence.Facts) evidence.Facts {
	all = hogged(all, 0)
	for i := range 20 {
		all = append(all, one(evidence.ForeignSession, "tool"+string(rune('a'+i)), 9, 400+i, "tool"))
	}
	return set(all, evidence.ForeignSessions, "server", 21)
}

// fast500 is a stack whose orders fail at once: nobody holds anything, and customers suffer.
func fast500() evidence.Facts {
	all := slowCalls(sick(), "payments", 0.002)
	for _, replica := range []string{"orders-1", "orders-2"} {
		all = set(set(set(all, evidence.PoolTimeouts, replica, 0), evidence.PoolIdle, replica, 3), evidence.PoolUsed, replica, 1)
	}
	return set(all, evidence.EdgeGoodRatio, "storefront", 0)
}

// Taking any one fact away may hide a cause; it never makes it certain, nor another one.
func TestNoCauseIsCertainWithoutAFactThatItNeeds(t *testing.T) {
	for cause, facts := range cases() {
		needed, whole := 0, diagnose.Diagnose(facts, 1, time.Second).Diagnosis
		for i, f := range facts {
			for _, lacking := range []evidence.Facts{slices.Delete(slices.Clone(facts), i, i+1), unknown(facts, i)} {
				d := diagnose.Diagnose(lacking, 1, time.Second).Diagnosis
				hidden := cause == incident.BadRelease && strings.HasPrefix(f.Name, "release_") && d.Cause == incident.ConnectionLeak
				if d.Cause != cause && d.Cause != incident.Inconclusive && !hidden {
					t.Errorf("%s without %s of %s is %s", cause, f.Name, f.Subject, d.Cause)
				}
				if d.Cause == incident.Inconclusive || len(d.Subjects) < len(whole.Subjects) {
					needed++
				}
			}
		}
		if needed < 4 {
			t.Errorf("%s hangs on %d facts only", cause, needed)
		}
	}
	for cause, names := range map[incident.Cause][]string{
		incident.LockContention: {evidence.LockRootOldest},
		incident.SlowQuery:      {evidence.SessionsActiveLong, evidence.SessionsActive, evidence.PoolMax, evidence.LockRootOldest, evidence.ReplicaWorkload},
		incident.NetworkLatency: {evidence.RoundTripQuick, evidence.PoolHoldMean, evidence.LockRootOldest, evidence.SessionsActiveLong, evidence.SessionsIdleLong, evidence.PoolIdle, evidence.ReplicaWorkload},
		incident.ServerCap:      {evidence.ForeignSessions, evidence.ServerMaxConnections, evidence.ReplicaWorkload},
		incident.SlowDownstream: {evidence.CallTimeMean, evidence.RoundTripQuick, evidence.LockRootOldest, evidence.SessionsActiveLong, evidence.SessionsIdleLong},
		incident.TrafficSurge: {
			evidence.EdgeArrivalRatio, evidence.PoolHoldMean, evidence.RoundTripQuick, evidence.PoolTimeouts, evidence.LockRootOldest, evidence.SessionsActiveLong,
		},
		incident.BadRelease: {evidence.SessionsIdleLong, evidence.PoolIdle, evidence.ReplicaWorkload},
	} {
		for _, name := range names {
			facts := slices.Clone(cases()[cause])
			for i, f := range facts {
				if f.Name == name {
					facts[i].Status = incident.Unknown
				}
			}
			if d := diagnose.Diagnose(facts, 1, time.Second).Diagnosis; d.Cause == cause {
				t.Errorf("%s is certain without %s", cause, name)
			}
		}
	}
}

func unknown(facts evidence.Facts, i int) evidence.Facts {
	facts = slices.Clone(facts)
	facts[i].Status, facts[i].Value = incident.Unknown, 0
	return facts
}

func TestLogsAndTracesChangeNoVerdict(t *testing.T) {
	for cause, facts := range cases() {
		plain := diagnose.Diagnose(facts, 1, time.Second)
		for _, status := range []incident.FactStatus{incident.Known, incident.Unknown} {
			more := slices.Clone(facts)
			for _, part := range []string{"pool.acquire", "sql of orders", "call of payments", "sql of inventory"} {
				more = append(more, incident.Fact{Name: evidence.TracePart, Source: evidence.Jaeger, Subject: part, Value: 9, Status: status})
			}
			more = append(more, incident.Fact{Name: evidence.ErrorLines, Source: evidence.Loki, Subject: "orders/timeout", Value: 900, Status: status})
			got := diagnose.Diagnose(more, 1, time.Second)
			if got.Diagnosis.Cause != cause || got.Gone != plain.Gone || got.Harmless != plain.Harmless || got.LookAgainIn != plain.LookAgainIn {
				t.Errorf("%s becomes %s (%s)", cause, got.Diagnosis.Cause, status)
			}
			if says := strings.Join(got.Diagnosis.Ranked[0].For, "; "); strings.Contains(says, "errors in the logs") != (status == incident.Known) {
				t.Errorf("%s: %s", status, says)
			}
		}
	}
}

func FuzzTheOrderOfFactsDoesNotMatter(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		for cause, facts := range cases() {
			shuffled := slices.Clone(facts)
			random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if want, got := diagnose.Diagnose(facts, 1, time.Second), diagnose.Diagnose(shuffled, 1, time.Second); !reflect.DeepEqual(want, got) {
				t.Errorf("%s: %+v and %+v", cause, want, got)
			}
		}
	})
}

func TestASignThatLacksOnlyTimeIsWaitedFor(t *testing.T) {
	young := longOn(sick(), "orders-1", 4)
	for name, tc := range map[string]struct {
		facts evidence.Facts
		want  time.Duration
	}{
		"a root that is young is none yet": {lockedBy(sick(), 0.1), 250 * time.Millisecond},
		"a root gets old":                  {lockedBy(sick(), 0.8), 200 * time.Millisecond},
		"statements get long":              {set(set(young, evidence.SessionsActiveLong, "orders-1", 0), evidence.SessionsActiveOldest, "orders-1", 0.7), 300 * time.Millisecond},
		"nothing is on its way":            {sick(), 250 * time.Millisecond},
		"the next sample of pool":          {newOn(aged(leakOn(sick(), "orders-1"), 1100*time.Millisecond), "orders-1"), 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			r := diagnose.Diagnose(tc.facts, 1, time.Second)
			if got := r.LookAgainIn.Round(time.Millisecond); r.Diagnosis.Cause != incident.Inconclusive || got != tc.want {
				t.Errorf("%s, again in %s; want %s: %s", r.Diagnosis.Cause, got, tc.want, r.Diagnosis.Summary)
			}
		})
	}
}

// aged makes the sample of the pool of orders-1 older than the look at the server, by so much.
func aged(all evidence.Facts, ago time.Duration) evidence.Facts {
	all, now := slices.Clone(all), time.Unix(1e9, 0)
	for i, f := range all {
		all[i].At = now
		if f.Name == evidence.PoolUsed && f.Subject == "orders-1" {
			all[i].At = now.Add(-ago)
		}
	}
	return set(all, evidence.SessionsIdleYoungest, "orders-1", 1.05)
}
