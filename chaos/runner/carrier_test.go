package runner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/chaos/internal/smallshop"
	"github.com/faultline-lab/faultline/chaos/runner"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

const oneLock = "{products: [SKU-0001], application: stock-count}"

// stocked gives the shop's database a product that can be locked.
func stocked(t *testing.T, shop *smallshop.Shop) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), shop.Database())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	if _, err := conn.Exec(t.Context(), "CREATE TABLE products (sku text PRIMARY KEY, stock int); INSERT INTO products VALUES ('SKU-0001', 5)"); err != nil {
		t.Fatal(err)
	}
	shop.Stack.DatabaseURLs[shop.Workload()] = shop.Database()
	if err := endpoints.Write(shop.StackFile, shop.Stack); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestWhoeverStopsAFaultFromAnotherProcessMakesItsCarrierLetGo(t *testing.T) {
	shop := smallshop.Open(t)
	conn := stocked(t, shop)
	opts, heard := another(t, shop, "lock-contention", oneLock)
	opts.Duration = time.Minute
	ended := make(chan runner.Result, 1)
	go func() {
		result, err := runner.Run(t.Context(), opts)
		if err != nil {
			t.Error(err)
		}
		ended <- result
	}()
	eventually(t, "the lock is held", func() bool { return heard.has("holds the rows of [SKU-0001]") })
	const take = "SELECT * FROM products FOR UPDATE NOWAIT"
	if _, err := conn.Exec(t.Context(), take); err == nil {
		t.Error("there is no lock")
	}
	if err := resume(t, shop).Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if result := <-ended; result.End != runner.Stopped {
		t.Errorf("result %+v", result)
	}
	if _, err := conn.Exec(t.Context(), take); err != nil {
		t.Errorf("the lock is still there: %v", err)
	}
	noRecord(t, shop)
	noKeeper(t, shop)
}

func TestAFaultThatEndsWithItsProcessCannotBeKept(t *testing.T) {
	shop := smallshop.Open(t)
	stocked(t, shop)
	opts, _ := another(t, shop, "lock-contention", oneLock)
	opts.Keep = true
	if _, err := runner.Run(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "longer --duration") {
		t.Errorf("got %v", err)
	}
	noRecord(t, shop)
}
