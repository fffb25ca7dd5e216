package patienttest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/faultline-lab/faultline/apps/internal/patienttest"
	"github.com/faultline-lab/faultline/apps/internal/postgrestest"
	"github.com/faultline-lab/faultline/apps/storefront"
	"github.com/faultline-lab/faultline/observability/command"
)

// asStorefront makes this test's own binary the storefront program: what is to be killed must be a process.
const asStorefront = "FAULTLINE_TEST_AS_STOREFRONT"

func TestMain(m *testing.M) {
	if os.Getenv(asStorefront) != "" {
		os.Exit(command.Main(storefrontProgram))
	}
	os.Exit(m.Run())
}

func storefrontProgram(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var config storefront.Config
	program := command.Program{Name: "storefront", Description: "storefront under test", Listen: "127.0.0.1:0"}
	if ok, err := program.Parse(&config, args, stdout, stderr); !ok {
		return err
	}
	return storefront.Serve(ctx, config, stdout)
}

const controlToken = "test-token"

// edgeProcess is a storefront in a process of its own.
type edgeProcess struct {
	shop, control string
	command       *exec.Cmd
	log           *patienttest.Output
}

// startEdge starts one before the patient's orders, with its queue in the folder.
func startEdge(t *testing.T, p *patienttest.Patient, folder string) *edgeProcess {
	t.Helper()
	token := filepath.Join(folder, "token")
	if err := os.WriteFile(token, []byte(controlToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := &edgeProcess{log: &patienttest.Output{}}
	e.command = exec.CommandContext(t.Context(), os.Args[0],
		"--orders-discovery="+p.Discovery.URL, "--inventory-url="+p.Inventory.URL, "--queue="+filepath.Join(folder, "queue.db"),
		"--control-listen=127.0.0.1:0", "--control-token-file="+token, "--drain=40")
	e.command.Env = append(os.Environ(), asStorefront+"=1")
	e.command.Stdout, e.command.Stderr = e.log, e.log
	if err := e.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.kill)
	postgrestest.Eventually(t, "storefront serves", func() bool {
		e.shop, e.control = e.said("ready"), e.said("control port is open")
		return e.shop != "" && e.control != ""
	})
	return e
}

// kill is SIGKILL, and waits until the process has gone.
func (e *edgeProcess) kill() {
	_ = e.command.Process.Kill() // it may have gone already
	_ = e.command.Wait()
}

// said is the base URL in the log line; empty while there is none.
func (e *edgeProcess) said(message string) string {
	for line := range strings.Lines(e.log.String()) {
		var record struct{ Msg, Address string }
		if json.Unmarshal([]byte(line), &record) == nil && record.Msg == message {
			return "http://" + record.Address
		}
	}
	return ""
}

func (e *edgeProcess) ask(ctx context.Context, method, url, key, body string) (status int, answer string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Authorization", "Bearer "+controlToken)
	request.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// waiting is the length of the queue.
func (e *edgeProcess) waiting(t *testing.T) int {
	t.Helper()
	_, text, err := e.ask(t.Context(), http.MethodGet, e.control+"/v1/state", "", "")
	if err != nil {
		t.Fatal(err)
	}
	var state struct{ Queue struct{ Waiting int } }
	if err := json.Unmarshal([]byte(text), &state); err != nil {
		t.Fatal(err)
	}
	return state.Queue.Waiting
}

func (e *edgeProcess) setMode(t *testing.T, mode string) {
	t.Helper()
	status, text, err := e.ask(t.Context(), http.MethodPut, e.control+"/v1/mode", "", `{"mode":"`+mode+`","for":"10m","if":"normal","by":"test"}`)
	if err != nil || status != http.StatusOK {
		t.Fatalf("mode: %d %s (%v)", status, text, err)
	}
}

const acceptedOrders = 500

// acceptAll has the edge accept that many orders, many at a time.
func (e *edgeProcess) acceptAll(t *testing.T) {
	t.Helper()
	e.setMode(t, "accept")
	keys := make(chan int)
	var customers sync.WaitGroup
	for range 25 {
		customers.Go(func() {
			for n := range keys {
				key := fmt.Sprint("accepted-", n)
				postgrestest.Eventually(t, key+" is accepted, by a busy machine after a timeout or two", func() bool {
					status, _, err := e.ask(t.Context(), http.MethodPost, e.shop+"/checkout", key, oneItem)
					return err == nil && status == http.StatusAccepted
				})
			}
		})
	}
	for n := range acceptedOrders {
		keys <- n
	}
	close(keys)
	customers.Wait()
}

// SIGKILL right after the last order was accepted, and once more in the middle of their completion: each is placed, once.
func TestAcceptedOrdersSurviveKillsOfTheEdgeAndAreEachPlacedOnce(t *testing.T) {
	p, folder := patienttest.Start(t), t.TempDir()
	e := startEdge(t, p, folder)
	e.acceptAll(t)
	e.kill()

	e = startEdge(t, p, folder)
	left := e.waiting(t)
	if left < acceptedOrders*9/10 {
		t.Fatalf("%d of %d orders wait after the kill, although only a trickle was completed before", left, acceptedOrders)
	}
	postgrestest.Eventually(t, "some are completed", func() bool { return e.waiting(t) < left-50 })
	e.kill()

	e = startEdge(t, p, folder)
	for left = e.waiting(t); left > 0; {
		postgrestest.Eventually(t, "the queue gets shorter", func() bool {
			before := left
			left = e.waiting(t)
			return left < before
		})
	}
	ordersDB, inventoryDB := postgrestest.Connect(t, p.OrdersDB), postgrestest.Connect(t, p.InventoryDB)
	if n := count(t, ordersDB, `SELECT count(*) FROM orders JOIN idempotency_keys ON order_id = id
		WHERE status = 'confirmed' AND key LIKE 'accepted-%'`); n != acceptedOrders {
		t.Errorf("%d orders are confirmed, want %d", n, acceptedOrders)
	}
	if n := count(t, ordersDB, `SELECT count(*) FROM orders`); n != acceptedOrders {
		t.Errorf("%d orders are stored, want %d", n, acceptedOrders)
	}
	postgrestest.Eventually(t, "each has its stock, and nothing else has any", func() bool {
		return count(t, inventoryDB, `SELECT count(*) FROM reservations WHERE status = 'committed'`) == acceptedOrders &&
			count(t, inventoryDB, `SELECT count(*) FROM reservations WHERE status = 'reserved'`) == 0
	})
	status, text, err := e.ask(t.Context(), http.MethodGet, e.shop+"/orders/accepted-0", "", "")
	if err != nil || status != http.StatusOK || !strings.Contains(text, `"status":"completed"`) || !strings.Contains(text, `"order_id"`) {
		t.Errorf("its key tells: %d %s (%v)", status, text, err)
	}
}

func TestInDeferPaymentAnOrderIsPlacedAtOnceAndPaidAfterwards(t *testing.T) {
	p := patienttest.Start(t)
	e := startEdge(t, p, t.TempDir())
	e.setMode(t, "defer-payment")
	status, text, err := e.ask(t.Context(), http.MethodPost, e.shop+"/checkout", "deferred-1", oneItem)
	if err != nil || status != http.StatusCreated || !strings.Contains(text, `"status":"payment_pending"`) {
		t.Fatalf("%d %s (%v)", status, text, err)
	}
	// The provider declines this one, when it is asked.
	if status, text, err := e.ask(t.Context(), http.MethodPost, e.shop+"/checkout", "deferred-2",
		`{"customer":"c","items":[{"sku":"SKU-0050","quantity":1000}]}`); err != nil || status != http.StatusCreated {
		t.Fatalf("%d %s (%v)", status, text, err)
	}
	ordersDB, inventoryDB := postgrestest.Connect(t, p.OrdersDB), postgrestest.Connect(t, p.InventoryDB)
	postgrestest.Eventually(t, "one is paid and has its stock, the other is cancelled and has none", func() bool {
		return count(t, ordersDB, `SELECT count(*) FROM orders WHERE status = 'confirmed' AND authorization_id IS NOT NULL`) == 1 &&
			count(t, ordersDB, `SELECT count(*) FROM orders WHERE status = 'cancelled'`) == 1 &&
			count(t, inventoryDB, `SELECT count(*) FROM reservations WHERE status = 'committed'`) == 1 &&
			count(t, inventoryDB, `SELECT count(*) FROM reservations WHERE status = 'released'`) == 1
	})
}
