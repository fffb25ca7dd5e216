package evidence_test

import (
	"context"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// activity is what a server of 40 slots does, of which 6 are reserved.
type activity []evidence.Session

func (a activity) Activity(context.Context) (evidence.Activity, error) {
	return evidence.Activity{Sessions: a, MaxConnections: 40, ReservedSlots: 6, Query: "SELECT"}, nil
}

// looked gathers from Postgres and the list, for orders and inventory.
func looked(t *testing.T, list evidence.Lister, sessions ...evidence.Session) evidence.Facts {
	t.Helper()
	c, err := evidence.NewPostgres(evidence.PostgresConfig{Server: activity(sessions)})
	if err != nil {
		t.Fatal(err)
	}
	g, err := evidence.New(evidence.Config{Collectors: []evidence.Collector{c}, Lister: list})
	if err != nil {
		t.Fatal(err)
	}
	return g.Gather(t.Context(), evidence.Scope{Workloads: []string{"orders", "inventory"}}).Facts
}

func values(t *testing.T, facts evidence.Facts, subject string, want map[string]float64) {
	t.Helper()
	for name, value := range want {
		if got, known := facts.Get(name, subject); !known || got.Value != value {
			t.Errorf("%s of %s is %+v; want %g", name, subject, got, value)
		}
	}
}

func TestTheRootOfAllWaitingIsTheOneThatWaitsForNobody(t *testing.T) {
	facts := looked(
		t, patient(),
		evidence.Session{PID: 1, ApplicationName: "stock-count/ab", State: "idle in transaction", InTransaction: 9, Statement: "SELECT ?"},
		evidence.Session{PID: 2, ApplicationName: "inventory/inventory-1", State: "active", WaitEventType: "Lock", InQuery: 3, InTransaction: 20, BlockedBy: []int{1}},
		evidence.Session{PID: 3, ApplicationName: "inventory/inventory-1", State: "active", WaitEventType: "Lock", InTransaction: 0.2, BlockedBy: []int{2, 7}},
		evidence.Session{PID: 4, ApplicationName: "inventory/inventory-1", State: "idle in transaction", InTransaction: 30},
		evidence.Session{PID: 5, ApplicationName: "orders/orders-1", State: "active", WaitEventType: "Lock", BlockedBy: []int{6}},
		evidence.Session{PID: 6, ApplicationName: "orders/orders-1", State: "active", WaitEventType: "Lock", BlockedBy: []int{5}},
	)
	values(t, facts, "server", map[string]float64{evidence.LockRoots: 1, evidence.LockRootOldest: 9, evidence.LockRootWaiters: 4})
	values(t, facts, "inventory", map[string]float64{evidence.LockWaiters: 2})
	values(t, facts, "inventory-1", map[string]float64{evidence.SessionsLockWait: 2, evidence.SessionsActiveLong: 0, evidence.SessionsActiveOldest: 0})
	root, known := facts.Get(evidence.LockRoot, "stock-count/ab")
	if !known || root.Value != 9 || root.Session == nil || root.Session.PID != 1 || root.Session.Statement != "SELECT ?" {
		t.Errorf("the root is %+v", root)
	}
	if circle, found := facts.Get(evidence.LockWaiters, "orders"); found {
		t.Errorf("those who wait for each other wait for the root: %+v", circle)
	}
	values(t, looked(t, patient(), evidence.Session{PID: 4, InTransaction: 30}), "server", map[string]float64{evidence.LockRoots: 0, evidence.LockRootOldest: 0})
}

func TestStrangersAreThoseOfNoLiveWorkload(t *testing.T) {
	sessions := []evidence.Session{
		{PID: 1, ApplicationName: "orders/orders-1", State: "idle"},
		{PID: 2, ApplicationName: "orders-probe/orders-1"},
		{PID: 3, ApplicationName: "payments/payments-1"}, // not asked about, and no stranger
		{PID: 4, ApplicationName: "autoheal/admin"},
		{PID: 5, ApplicationName: "psql", Own: true},
		{PID: 6, ApplicationName: "batch-export/1", InSession: 5},
		{PID: 7, ApplicationName: "batch-export/1", InSession: 7},
		{PID: 8},
	}
	facts := looked(t, patient(), sessions...)
	values(t, facts, "server", map[string]float64{
		evidence.ForeignSessions: 3, evidence.ServerSessions: 7, evidence.ServerMaxConnections: 40, evidence.ServerReservedSlots: 6,
	})
	var pids []int
	for _, f := range facts {
		if f.Name == evidence.ForeignSession {
			pids = append(pids, f.Session.PID)
		}
	}
	if len(pids) != 3 || pids[0] != 8 || pids[1] != 6 || pids[2] != 7 {
		t.Errorf("strangers %v; want 8 without a name, 6 and 7", pids)
	}
	if unlisted, known := looked(t, failing{}, sessions...).Get(evidence.ForeignSessions, "server"); known || unlisted.Status != incident.Unknown {
		t.Errorf("without the list they are %+v; want unknown", unlisted)
	}
}

func TestALongStatementIsOneThatWorksAndWaitsForNoLock(t *testing.T) {
	of := func(state, wait string, age float64) evidence.Session {
		return evidence.Session{PID: int(10 * age), ApplicationName: "orders/orders-1", State: state, WaitEventType: wait, InQuery: age}
	}
	facts := looked(t, patient(), of("active", "IO", 3), of("active", "Lock", 4), of("active", "", 0.5), of("idle", "Client", 50),
		evidence.Session{PID: 1, ApplicationName: "report/1", State: "active", InQuery: 9})
	values(t, facts, "orders-1", map[string]float64{
		evidence.Sessions: 4, evidence.SessionsActive: 3, evidence.SessionsActiveLong: 1, evidence.SessionsActiveOldest: 3, evidence.SessionsIdle: 1,
	})
	values(t, facts, "orders/orders-1", map[string]float64{evidence.LongQuery: 3})
	if stranger, found := facts.Get(evidence.LongQuery, "report/1"); found {
		t.Errorf("a stranger's statement holds no pool: %+v", stranger)
	}
}

func TestWhoseAReplicaIsAndWhatItRunsIsAFact(t *testing.T) {
	facts := looked(t, lister{{Name: "orders", Replicas: []workload.Replica{{ID: "orders-x7", Version: "v2"}}}})
	for name, want := range map[string]string{evidence.ReplicaWorkload: "orders", evidence.ReplicaVersion: "v2"} {
		if got, known := facts.Get(name, "orders-x7"); !known || got.Detail != want {
			t.Errorf("%s is %+v; want %s", name, got, want)
		}
	}
}
