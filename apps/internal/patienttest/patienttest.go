// Package patienttest runs the whole patient in one process for tests: real HTTP, real Postgres, the programs' own
// Serve functions, ports of the system's choice.
package patienttest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/database"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/internal/service"
	"github.com/faultline-lab/faultline/apps/inventory"
	"github.com/faultline-lab/faultline/apps/orders"
	"github.com/faultline-lab/faultline/apps/payments"
	"github.com/faultline-lab/faultline/apps/storefront"
)

// bound is the longest that a service may take to start or to end in a test.
const bound = 20 * time.Second

// Process is one service that runs.
type Process struct {
	URL string
	// Log is what it has written to stdout so far.
	Log *Output

	stop  context.CancelFunc
	ended chan error
}

// Stop does what SIGTERM does, and returns what Serve returned.
func (p *Process) Stop(t testing.TB) error {
	t.Helper()
	p.stop()
	select {
	case err := <-p.ended:
		p.ended <- err
		return err
	case <-time.After(bound):
		t.Fatalf("%s does not end; its log:\n%s", p.URL, p.Log)
		return nil
	}
}

// Patient is the whole of it.
type Patient struct {
	Storefront, Inventory, Payments *Process
	// Orders are the replicas, orders-1 first.
	Orders []*Process
	// OrdersDB and InventoryDB are the URLs of the databases.
	OrdersDB, InventoryDB string
	// Discovery is the set of replicas that storefront finds.
	Discovery *Discovery

	ordersConfig orders.Config
}

// Start starts the patient with two replicas of orders, all with the sheet's sizes, and stops it when the test ends.
func Start(t testing.TB) *Patient {
	t.Helper()
	p := &Patient{
		OrdersDB: postgrestest.New(t), InventoryDB: postgrestest.New(t), Discovery: newDiscovery(t),
	}
	p.Payments = run(t, "payments-1", func(ctx context.Context, flags service.Flags, out io.Writer) error {
		return payments.Serve(ctx, payments.Config{
			Service: flags, Latency: 80 * time.Millisecond, DeclineAboveCents: 1_000_000, MaxKeys: 20_000,
			RequestTimeout: 550 * time.Millisecond,
		}, out)
	})
	p.Inventory = run(t, "inventory-1", func(ctx context.Context, flags service.Flags, out io.Writer) error {
		return inventory.Serve(ctx, inventory.Config{
			Service: flags, Database: databaseFlags(p.InventoryDB, 6), RequestTimeout: 450 * time.Millisecond,
			ReservationTTL: time.Minute, SweepTick: 50 * time.Millisecond,
		}, out)
	})
	p.ordersConfig = orders.Config{
		Database: databaseFlags(p.OrdersDB, 4), InventoryURL: p.Inventory.URL, PaymentsURL: p.Payments.URL,
		RequestTimeout: 800 * time.Millisecond, InventoryTimeout: 500 * time.Millisecond,
		PaymentsTimeout: 600 * time.Millisecond, DialTimeout: 250 * time.Millisecond, RelayTick: 20 * time.Millisecond,
		ImportTimeout: 5 * time.Second, ImportAcquireTimeout: 60 * time.Millisecond, ImportPause: 15 * time.Millisecond,
		ReportTimeout: time.Minute, ReportPause: 500 * time.Millisecond,
	}
	p.AddOrders(t)
	p.AddOrders(t)
	p.Storefront = run(t, "storefront-1", func(ctx context.Context, flags service.Flags, out io.Writer) error {
		return storefront.Serve(ctx, storefront.Config{
			Service: flags, OrdersDiscovery: p.Discovery.URL, DiscoveryTick: 200 * time.Millisecond,
			InventoryURL: p.Inventory.URL, RequestTimeout: 900 * time.Millisecond,
			ImportTimeout: 5 * time.Second, ReportTimeout: time.Minute,
			DialTimeout: 250 * time.Millisecond, Park: 500 * time.Millisecond, Trickle: 2, Drain: 15,
		}, out)
	})
	return p
}

// AddOrders starts one more replica of orders and lets it be discovered.
func (p *Patient) AddOrders(t testing.TB) *Process {
	t.Helper()
	instance := "orders-" + strconv.Itoa(len(p.Orders)+1)
	process := run(t, instance, func(ctx context.Context, flags service.Flags, out io.Writer) error {
		config := p.ordersConfig
		config.Service = flags
		return orders.Serve(ctx, config, out)
	})
	p.Orders = append(p.Orders, process)
	p.Discovery.add(process.URL, instance)
	return process
}

func databaseFlags(url string, poolMax int32) database.Flags {
	return database.Flags{
		DatabaseURL: url, PoolMax: poolMax, AcquireTimeout: 400 * time.Millisecond, ConnectionLifetime: time.Hour, DatabaseWait: 10 * time.Second,
	}
}

func run(t testing.TB, instance string, serve func(context.Context, service.Flags, io.Writer) error) *Process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	process := &Process{Log: &Output{}, stop: cancel, ended: make(chan error, 1)}
	listening := make(chan net.Addr, 1)
	flags := service.Flags{
		Listen: "127.0.0.1:0", Instance: instance, ServiceVersion: "v1", DrainTimeout: time.Second,
		OnListen: func(address net.Addr) { listening <- address },
	}
	go func() { process.ended <- serve(ctx, flags, process.Log) }()
	t.Cleanup(func() { _ = process.Stop(t) })
	select {
	case address := <-listening:
		process.URL = "http://" + address.String()
	case err := <-process.ended:
		process.ended <- err
		t.Fatalf("%s did not start: %v", instance, err)
	case <-time.After(bound):
		t.Fatalf("%s did not start in %s; its log:\n%s", instance, bound, process.Log)
	}
	return process
}

// Checkout sends one order through the edge. Status 0 means that there was no answer.
func (p *Patient) Checkout(key, body string) (status int, answer map[string]any) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, p.Storefront.URL+"/checkout", strings.NewReader(body))
	if err != nil {
		return 0, map[string]any{"failure": err.Error()}
	}
	request.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, map[string]any{"failure": err.Error()}
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, map[string]any{"failure": err.Error()}
	}
	return response.StatusCode, answer
}

// Output is a writer that may be read while it is written to.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String is all of it so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
