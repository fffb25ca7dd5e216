package patienttest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/apps/internal/patienttest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
)

const oneItem = `{"customer":"c-17","items":[{"sku":"SKU-0001","quantity":1}]}`

func count(t *testing.T, conn *pgx.Conn, sql string) (n int) {
	t.Helper()
	if err := conn.QueryRow(context.Background(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheJourneyOfACustomer(t *testing.T) {
	p := patienttest.Start(t)
	tests := []struct {
		name, body string
		status     int
		text       string
	}{
		{"an order", oneItem, 201, "500"},
		{"with a coupon", `{"customer":"c","items":[{"sku":"SKU-0001","quantity":2},{"sku":"SKU-0050","quantity":1}],"coupon":"WELCOME10"}`, 201, "5760"},
		{"with an unknown coupon", `{"customer":"c","items":[{"sku":"SKU-0001","quantity":1}],"coupon":"NOPE"}`, 422, "NOPE"},
		{"of an unknown product", `{"customer":"c","items":[{"sku":"SKU-9999","quantity":1}]}`, 422, "SKU-9999"},
		{"that the payment provider declines", `{"customer":"c","items":[{"sku":"SKU-0050","quantity":1000}]}`, 422, "declined"},
		{"of nothing", `{"customer":"c","items":[]}`, 400, "items"},
		{"that is no JSON", `{`, 400, "JSON"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, answer := p.Checkout(fmt.Sprint("journey-", i), tt.body)
			if status != tt.status || !strings.Contains(fmt.Sprint(answer), tt.text) {
				t.Errorf("%d %v, want %d with %q", status, answer, tt.status, tt.text)
			}
		})
	}

	inventoryDB := postgrestest.Connect(t, p.InventoryDB)
	postgrestest.Eventually(t, "placed orders are committed at inventory, the declined one is released", func() bool {
		return count(t, inventoryDB, `SELECT count(*) FROM reservations WHERE status = 'committed'`) == 2 &&
			count(t, inventoryDB, `SELECT count(*) FROM reservations WHERE status = 'released'`) == 1 &&
			count(t, inventoryDB, `SELECT count(*) FROM reservations`) == 3
	})

	_, first := p.Checkout("journey-0", oneItem)
	response, err := http.Get(p.Storefront.URL + "/orders/" + fmt.Sprint(first["order_id"]))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != 200 || !strings.Contains(string(body), `"status":"confirmed"`) {
		t.Errorf("read back: %d %s", response.StatusCode, body)
	}
	if n := count(t, postgrestest.Connect(t, p.OrdersDB), `SELECT count(*) FROM orders`); n != 2 {
		t.Errorf("%d orders, want 2: the repeated one is the same", n)
	}
	if !strings.Contains(p.Orders[0].Log.String()+p.Orders[1].Log.String(), `"trace_id"`) {
		t.Error("the log lines of orders have no trace id")
	}
}

func TestOneKeyThroughBothReplicasAtOnceIsOneOrder(t *testing.T) {
	p := patienttest.Start(t)
	var mu sync.Mutex
	ids := map[any]int{}
	var customers sync.WaitGroup
	for range 6 {
		customers.Go(func() {
			status, answer := p.Checkout("same", oneItem)
			mu.Lock()
			defer mu.Unlock()
			if status != http.StatusCreated {
				t.Errorf("%d %v", status, answer)
			}
			ids[answer["order_id"]]++
		})
	}
	customers.Wait()
	inventoryDB := postgrestest.Connect(t, p.InventoryDB)
	if n := count(t, inventoryDB, `SELECT count(*) FROM reservations`); len(ids) != 1 || n != 1 {
		t.Errorf("%d orders and %d reservations for one key", len(ids), n)
	}
}

// A replica that has lost its whole pool is still ready, refuses within the acquire timeout, and ends far sooner than
// its drain timeout; the other one goes on, and no customer is refused once the broken one is gone.
func TestALeakedReplicaCanBeReplaced(t *testing.T) {
	p := patienttest.Start(t)
	broken := p.Orders[0]
	for i := range 4 {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, broken.URL+"/orders",
			strings.NewReader(`{"customer":"c","items":[{"sku":"SKU-0001","quantity":1}],"coupon":"SPRING24"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Idempotency-Key", fmt.Sprint("leak-", i))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("expired coupon %d: %s", i, response.Status)
		}
	}
	if response, err := http.Get(broken.URL + "/readyz"); err != nil || response.StatusCode != 200 {
		t.Errorf("a leaked replica is not ready: %v %v", response, err)
	}
	good, refused := 0, 0
	for i := range 6 {
		switch status, _ := p.Checkout(fmt.Sprint("meanwhile-", i), oneItem); status {
		case http.StatusCreated:
			good++
		case http.StatusServiceUnavailable:
			refused++
		}
	}
	if good != 3 || refused != 3 {
		t.Errorf("%d went well and %d were refused, want 3 and 3", good, refused)
	}
	waiting := make(chan int)
	go func() {
		status, _ := p.Checkout("waiting-a", oneItem)
		waiting <- status
	}()
	if err := broken.Stop(t); err != nil {
		t.Errorf("the broken replica ended with %v", err)
	}
	<-waiting
	p.AddOrders(t)
	for i := range 6 {
		if status, answer := p.Checkout(fmt.Sprint("after-", i), oneItem); status != http.StatusCreated {
			t.Errorf("after the replacement: %d %v", status, answer)
		}
	}
}

// Ending one of two replicas under load may cost the requests that it holds at that moment, which is its pool at most
// and normally nothing; and whatever a customer was told is true.
func TestEndingAReplicaUnderLoadLosesNothing(t *testing.T) {
	p := patienttest.Start(t)
	var mu sync.Mutex
	placed, failed := map[string]bool{}, []string{}
	var customers sync.WaitGroup
	for i := range 120 {
		if i == 40 {
			customers.Go(func() {
				if err := p.Orders[0].Stop(t); err != nil {
					t.Error(err)
				}
			})
		}
		customers.Go(func() {
			status, answer := p.Checkout(fmt.Sprint("load-", i), oneItem)
			mu.Lock()
			defer mu.Unlock()
			if status == http.StatusCreated {
				placed[fmt.Sprint(answer["order_id"])] = true
			} else {
				failed = append(failed, fmt.Sprint(status, answer))
			}
		})
		time.Sleep(40 * time.Millisecond) // 25 a second: one replica alone can serve them
	}
	customers.Wait()
	if len(failed) > 4 {
		t.Errorf("%d customers were refused, more than one pool: %v", len(failed), failed)
	}
	ordersDB, inventoryDB := postgrestest.Connect(t, p.OrdersDB), postgrestest.Connect(t, p.InventoryDB)
	if n := count(t, ordersDB, `SELECT count(*) FROM orders`); n < len(placed) || n > 120 {
		t.Errorf("%d orders are stored, %d were promised", n, len(placed))
	}
	stored := count(t, ordersDB, `SELECT count(*) FROM orders`)
	postgrestest.Eventually(t, "each stored order has its stock, and nothing else has any", func() bool {
		return count(t, inventoryDB, `SELECT count(*) FROM reservations WHERE status = 'committed'`) == stored &&
			count(t, inventoryDB, `SELECT count(*) FROM reservations WHERE status = 'reserved'`) == 0
	})
}
