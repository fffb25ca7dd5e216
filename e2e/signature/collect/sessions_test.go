package collect

import (
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/signature"
	"github.com/faultline-lab/faultline/observability/contract"
)

func TestPrometheusIsAskedOnlyForWhatTheContractLists(t *testing.T) {
	agreed, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range append(questions(), calls(listing{})) {
		if err := agreed.CheckPromQL(q.promql); err != nil {
			t.Errorf("%s: %s: %v", q.fact, q.promql, err)
		}
	}
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// value finds a fact; a missing one fails.
func value(t *testing.T, facts []signature.Fact, name, subject string) signature.Fact {
	t.Helper()
	for _, fact := range facts {
		if fact.Name == name && fact.Subject == subject {
			return fact
		}
	}
	t.Fatalf("no %s of %s in %+v", name, subject, facts)
	return signature.Fact{}
}

func TestSessionsAreCountedForTheReplicaThatOwnsThem(t *testing.T) {
	all := []session{
		{application: "orders/orders-1", state: "idle", inState: 1.5},
		{application: "orders/orders-1", state: "idle", inState: 0.2},
		{application: "orders/orders-1", state: "active", waits: "Lock", inQuery: 3},
		{application: "orders/orders-1", state: "active", waits: "IO", inQuery: 3, shape: "SELECT sum"},
		{application: "orders/orders-1", state: inTransaction, inTransaction: 0.3, shape: "INSERT INTO orders"},
		{application: "orders-probe/orders-1", state: "idle"},
		{application: "autoheal/admin", state: "idle"},
		{application: "batch-export/1f", state: "idle"},
	}
	facts := append(replicaSessions(all, now), serverFacts(all, 40, 6, now)...)
	facts = append(facts, shapeFacts(all, now)...)
	for name, want := range map[string]float64{
		signature.Sessions: 5, signature.SessionsIdle: 2, signature.SessionsIdleLong: 1, signature.SessionsIdleOldest: 1.5,
		signature.SessionsActive: 2, signature.SessionsActiveLong: 1, signature.SessionsInTransaction: 1,
		signature.SessionsLockWait: 1, signature.SessionsOldestTransaction: 0.3,
	} {
		if got := value(t, facts, name, "orders-1"); got.Value != want {
			t.Errorf("%s is %g, want %g", name, got.Value, want)
		}
	}
	for name, want := range map[string]float64{
		signature.ServerSessions: 8, signature.ForeignSessions: 1, signature.ServerMaxConnections: 40, signature.ServerReservedSlots: 6,
	} {
		if got := value(t, facts, name, "server"); got.Value != want {
			t.Errorf("%s is %g, want %g", name, got.Value, want)
		}
	}
	if got := value(t, facts, signature.QueryShape, "orders/SELECT sum"); got.Value != 1 {
		t.Errorf("%+v", got)
	}
	if got := value(t, facts, signature.TransactionShape, "orders/INSERT INTO orders"); got.Value != 1 {
		t.Errorf("%+v", got)
	}
}

func TestTheRootOfAllWaitingIsTheOneThatWaitsForNobody(t *testing.T) {
	all := []session{
		{pid: 1, application: "stock-count/ab", state: inTransaction, inTransaction: 9},
		{pid: 2, application: "inventory/inventory-1", state: "active", waits: "Lock", inTransaction: 20, blockedBy: []int32{1}},
		{pid: 3, application: "inventory/inventory-1", state: "active", waits: "Lock", inTransaction: 0.2, blockedBy: []int32{2, 1}},
		{pid: 4, application: "inventory/inventory-1", state: inTransaction, inTransaction: 30},
	}
	facts := lockFacts(all, now)
	root := value(t, facts, signature.LockRootOldest, "server")
	if root.Value != 9 || root.Detail == "" {
		t.Errorf("root %+v, want the one that has held for 9 s", root)
	}
	if waiters := value(t, facts, signature.LockRootWaiters, "server"); waiters.Value != 2 {
		t.Errorf("waiters %+v", waiters)
	}
	if quiet := value(t, lockFacts(all[3:], now), signature.LockRootOldest, "server"); quiet.Value != 0 || quiet.Status != signature.Known {
		t.Errorf("where nobody waits the root is %+v", quiet)
	}
}

func TestAMeanOfNothingIsUnknown(t *testing.T) {
	var zero float64
	if fact := measured(signature.Prometheus, signature.PoolHoldMean, "orders-1", "q", "s", zero/zero, now); fact.Status != signature.Unknown || fact.Value != 0 {
		t.Errorf("%+v", fact)
	}
	if got := round(0.123456789); got != 0.12346 {
		t.Errorf("rounded to %v", got)
	}
	if got := round(-12345678); got != -12346000 {
		t.Errorf("rounded to %v", got)
	}
}
