package storefront_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/metrictest"
	"github.com/faultline-lab/faultline/apps/storefront"
	"github.com/faultline-lab/faultline/apps/storefront/mode"
	"github.com/faultline-lab/faultline/apps/storefront/queue"
)

const oneItem = `{"customer":"c-17","items":[{"sku":"SKU-0001","quantity":1}]}`

// modal is an edge in a mode of the test's choice, before orders and inventory that count what reaches them.
type modal struct {
	url  string
	page metrictest.Page

	mu      sync.Mutex
	setting mode.Setting
	orders  []*http.Request
	browsed int
	away    bool // inventory fails
}

func newModal(t *testing.T, setting mode.Setting) *modal {
	t.Helper()
	m := &modal{page: metrictest.New(t), setting: setting}
	orders, inventory := httptest.NewServer(http.HandlerFunc(m.order)), httptest.NewServer(http.HandlerFunc(m.browse))
	t.Cleanup(orders.Close)
	t.Cleanup(inventory.Close)
	line, err := queue.Open(t.Context(), queue.Config{Path: filepath.Join(t.TempDir(), "queue.db"), MeterProvider: m.page.MeterProvider()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = line.Close() })
	handler, err := storefront.Handler(storefront.APIConfig{
		Orders: balancer(t, orders.URL), InventoryURL: inventory.URL, Log: quiet(), MeterProvider: m.page.MeterProvider(),
		Deadline: 2 * time.Second, ImportDeadline: 2 * time.Second, ReportDeadline: 10 * time.Second,
		Client: &http.Client{Transport: jsonhttp.NewTransport(time.Second)}, Mode: m.mode, Queue: line,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

func (m *modal) mode() mode.Setting {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.setting
}

func (m *modal) order(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.orders = append(m.orders, r)
	if r.Method == http.MethodGet {
		jsonhttp.Write(w, http.StatusOK, map[string]string{"order_id": "o"})
		return
	}
	jsonhttp.Write(w, http.StatusCreated, map[string]string{"order_id": "o"})
}

func (m *modal) browse(w http.ResponseWriter, _ *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.browsed++
	if m.away {
		apierror.Write(w, apierror.New(apierror.Unavailable, "inventory is away"))
		return
	}
	jsonhttp.Write(w, http.StatusOK, map[string]int{"stock": m.browsed})
}

func (m *modal) get(t *testing.T, path string) (status int, body string, header http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(text)), response.Header
}

func TestInDeferPaymentOrdersIsToldToTakeThePaymentLater(t *testing.T) {
	for _, setting := range []mode.Setting{{Mode: mode.Normal}, {Mode: mode.DeferPayment}} {
		m := newModal(t, setting)
		if status, body := post(t, m.url, "k", oneItem); status != http.StatusCreated {
			t.Fatalf("%d %s", status, body)
		}
		want := ""
		if setting.Mode == mode.DeferPayment {
			want = "deferred"
		}
		if got := m.orders[0].Header.Get("Faultline-Payment"); got != want {
			t.Errorf("in %s orders is told %q, want %q", setting.Mode, got, want)
		}
	}
}

func TestInAcceptAnOrderIsTakenInAndItsKeyTellsWhatBecomesOfIt(t *testing.T) {
	m := newModal(t, mode.Setting{Mode: mode.Accept})
	for _, body := range []string{oneItem, "\n" + oneItem + " "} { // the same order, written differently
		status, answer := post(t, m.url, "mine", body)
		if status != http.StatusAccepted || strings.TrimSpace(answer) != `{"status":"accepted","order_key":"mine"}` {
			t.Errorf("%d %s", status, answer)
		}
	}
	if status, body, _ := m.get(t, "/orders/mine"); status != http.StatusOK || !strings.Contains(body, `"status":"accepted","order_key":"mine"`) {
		t.Errorf("its key: %d %s", status, body)
	}
	if len(m.orders) != 0 {
		t.Errorf("orders was asked %d times", len(m.orders))
	}
	if status, answer := post(t, m.url, "", oneItem); status != http.StatusAccepted || !strings.Contains(answer, `-`) {
		t.Errorf("without a key: %d %s, want one that was made", status, answer)
	}
	if status, answer := post(t, m.url, "mine", strings.Replace(oneItem, "c-17", "c-18", 1)); status != http.StatusUnprocessableEntity {
		t.Errorf("another order under the key: %d %s", status, answer)
	}
	m.page.Expect(t, map[string]float64{`storefront_queue_outcomes_total{result="accepted"}`: 2, `storefront_queue_waiting_orders`: 2})
	if status, body, _ := m.get(t, "/orders/9c75d97c"); status != http.StatusOK || !strings.Contains(body, `"order_id":"o"`) {
		t.Errorf("an order that was never in the queue: %d %s", status, body)
	}
}

func TestInAcceptAnOrderThatCanNeverBePlacedIsRefusedAtOnce(t *testing.T) {
	m := newModal(t, mode.Setting{Mode: mode.Accept})
	for _, body := range []string{
		`{`, `[]`, `{"items":[{"sku":"SKU-0001","quantity":1}]}`, `{"customer":"c","items":[]}`,
		`{"customer":"c","items":[{"sku":"","quantity":1}]}`, `{"customer":"c","items":[{"sku":"SKU-0001","quantity":0}]}`,
	} {
		if status, answer := post(t, m.url, "k", body); status != http.StatusBadRequest || !strings.Contains(answer, `"message"`) {
			t.Errorf("%s: %d %s, want 400", body, status, answer)
		}
	}
	m.page.Expect(t, map[string]float64{`storefront_queue_outcomes_total{result="accepted"}`: 0})
}

func TestInAcceptPagesAreShownAsTheyLastWere(t *testing.T) {
	m := newModal(t, mode.Setting{Mode: mode.Normal})
	m.get(t, "/products")
	m.mu.Lock()
	m.setting.Mode, m.away = mode.Accept, true
	m.mu.Unlock()
	if status, body, header := m.get(t, "/products"); status != http.StatusOK || body != `{"stock":1}` || header.Get("Age") == "" {
		t.Errorf("a page that was seen before: %d %s, age %q", status, body, header.Get("Age"))
	}
	if status, _, _ := m.get(t, "/products/SKU-0002"); status != http.StatusServiceUnavailable {
		t.Errorf("a page that nobody has seen: %d, want 503", status)
	}
	m.mu.Lock()
	m.setting.Mode = mode.Normal
	m.mu.Unlock()
	if status, _, _ := m.get(t, "/products"); status != http.StatusServiceUnavailable {
		t.Errorf("in normal: %d; an old page was shown", status)
	}
}

func TestInShedTheCheckoutsBeyondTheNumberAreTurnedAwayAndReadsAreNot(t *testing.T) {
	m := newModal(t, mode.Setting{Mode: mode.Shed, Admit: 10})
	served, shed := 0, 0
	for range 50 {
		switch status, body := post(t, m.url, "k", oneItem); status {
		case http.StatusCreated:
			served++
		case http.StatusServiceUnavailable:
			shed++
		default:
			t.Fatalf("%d %s", status, body)
		}
	}
	// One at the start, and one more for each tenth of a second that the fifty took.
	if served < 1 || shed < 1 || served+shed != 50 {
		t.Errorf("%d served and %d shed of fifty at once", served, shed)
	}
	m.page.Expect(t, map[string]float64{"storefront_shed_checkouts_total": float64(shed)})
	if status, _, _ := m.get(t, "/orders/o"); status != http.StatusOK {
		t.Errorf("reading an order: %d", status)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.url+"/checkout", strings.NewReader(oneItem))
	if err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	m.setting.Admit = 0
	m.mu.Unlock()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("%s, Retry-After %q", response.Status, response.Header.Get("Retry-After"))
	}
}

func TestRequestsAreSharedOutByWeightAndAGroupWithoutReplicasLeavesItsShare(t *testing.T) {
	weights := mode.Usual()
	b, err := storefront.NewBalancer(storefront.BalancerConfig{
		Log: slog.New(slog.DiscardHandler), MeterProvider: noop.NewMeterProvider(), Weights: func() mode.Weights { return weights },
	})
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]int{}
	answering := func(name string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked[name]++
			jsonhttp.Write(w, http.StatusCreated, struct{}{})
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	stable := storefront.Backend{URL: answering("stable")}
	standby := storefront.Backend{URL: answering("standby"), Group: storefront.Standby}
	url := edge(t, b, "http://unused")
	ask := func(given mode.Weights, backends ...storefront.Backend) (gotStable, gotStandby int) {
		weights = given
		b.Set(t.Context(), backends)
		clear(asked)
		for range 40 {
			if status, body := post(t, url, "k", `{}`); status != http.StatusCreated {
				t.Fatalf("%d %s", status, body)
			}
		}
		return asked["stable"], asked["standby"]
	}
	all, half := mode.Weights{Standby: 100}, mode.Weights{Stable: 50, Standby: 50}
	if a, b := ask(mode.Usual(), stable, standby); a != 40 || b != 0 {
		t.Errorf("as usual: %d and %d", a, b)
	}
	if a, b := ask(all, stable, standby); a != 0 || b != 40 {
		t.Errorf("all to standby: %d and %d", a, b)
	}
	if a, b := ask(half, stable, standby); a < 5 || b < 5 {
		t.Errorf("half to each: %d and %d", a, b)
	}
	if a, b := ask(all, stable); a != 40 || b != 0 {
		t.Errorf("all to a standby that has no replica: %d and %d", a, b)
	}
	if a, b := ask(mode.Usual(), standby); a != 0 || b != 40 {
		t.Errorf("stable has no replica: %d and %d", a, b)
	}
}
