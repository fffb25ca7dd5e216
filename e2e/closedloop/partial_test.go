package closedloop

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// checkPartialLeak lets one of the two replicas leak all of its connections, and expects the healer to restart that one
// and to leave the other alone.
func checkPartialLeak(t *testing.T, stack endpoints.Stack) {
	supervisor, err := control.New(control.Config{BaseURL: stack.Endpoints.Control})
	if err != nil {
		t.Fatal(err)
	}
	before, err := supervisor.Workload(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	sick, _ := before.Replica("orders-1")
	well, _ := before.Replica("orders-2")
	if refused := orderWithExpiredCoupon(t, "http://"+sick.Address, 8); refused < 4 {
		t.Fatalf("only %d of 8 orders took the path that leaks", refused)
	}

	var healed incident.Incident
	looptest.WaitUntil(t, "an incident that the healer has ended", func() bool {
		var list struct{ Incidents []incident.Incident }
		err := looptest.GetJSON(t.Context(), stack.Endpoints.Autoheal+"/api/v1/incidents", &list)
		if err != nil || len(list.Incidents) == 0 || list.Incidents[0].State.Open() {
			return false
		}
		healed = list.Incidents[0]
		return true
	})
	if healed.Outcome != incident.Recovered || len(healed.Actions) != 1 || healed.Actions[0].Target != "orders-1" {
		t.Errorf("outcome %s (%s), actions %+v; want orders-1 restarted and nothing else", healed.Outcome, healed.Reason, healed.Actions)
	}
	after, err := supervisor.Workload(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	if now, _ := after.Replica("orders-1"); now.StartID == sick.StartID {
		t.Error("orders-1 is still the start that leaked")
	}
	if now, _ := after.Replica("orders-2"); now.StartID != well.StartID {
		t.Error("orders-2, which was well, has been started anew")
	}
}

// orderWithExpiredCoupon sends orders straight to one replica, all at once, and counts those that were refused for their
// coupon.
func orderWithExpiredCoupon(t *testing.T, replica string, orders int) int {
	t.Helper()
	var refused atomic.Int64
	var group sync.WaitGroup
	for i := range orders {
		group.Go(func() {
			body := fmt.Sprintf(`{"customer":"c-90%d","items":[{"sku":"SKU-0007","quantity":1}],"coupon":"SPRING24"}`, i)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, replica+"/orders", bytes.NewBufferString(body))
			if err != nil {
				t.Error(err)
				return
			}
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Idempotency-Key", fmt.Sprintf("partial-leak-%d", i))
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = response.Body.Close() }()
			if response.StatusCode == http.StatusUnprocessableEntity {
				refused.Add(1)
			}
		})
	}
	group.Wait()
	return int(refused.Load())
}
