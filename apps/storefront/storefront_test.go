package storefront_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/storefront"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func balancer(t *testing.T, urls ...string) *storefront.Balancer {
	t.Helper()
	b, err := storefront.NewBalancer(storefront.BalancerConfig{
		Log: quiet(), MeterProvider: noop.NewMeterProvider(), Park: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	var backends []storefront.Backend
	for _, url := range urls {
		backends = append(backends, storefront.Backend{URL: url})
	}
	b.Set(t.Context(), backends)
	return b
}

// edge serves the storefront's API over the balancer, with inventory at the URL.
func edge(t *testing.T, orders *storefront.Balancer, inventoryURL string) string {
	t.Helper()
	handler, err := storefront.Handler(storefront.APIConfig{
		Orders: orders, InventoryURL: inventoryURL, Log: quiet(), MeterProvider: noop.NewMeterProvider(),
		Deadline: 2 * time.Second, ImportDeadline: 2 * time.Second, ReportDeadline: 10 * time.Second,
		Client: &http.Client{Transport: jsonhttp.NewTransport(time.Second)},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// dead is the URL of a port that refuses connections.
func dead(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

func post(t *testing.T, url, key, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+"/checkout", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

func TestReplicasTakeTurnsAndADeadOneIsSkipped(t *testing.T) {
	var asked [2]atomic.Int32
	urls := []string{dead(t)}
	for i := range asked {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked[i].Add(1)
			jsonhttp.Write(w, http.StatusCreated, struct{}{})
		}))
		t.Cleanup(server.Close)
		urls = append(urls, server.URL)
	}
	url := edge(t, balancer(t, urls...), "http://unused")
	for range 40 {
		if status, body := post(t, url, "k", `{}`); status != http.StatusCreated {
			t.Fatalf("%d %s", status, body)
		}
	}
	if a, b := asked[0].Load(), asked[1].Load(); a+b != 40 || a < 10 || b < 10 {
		t.Errorf("the living replicas were asked %d and %d times", a, b)
	}
}

func TestARequestThatWasSentIsNotSentToAnotherReplica(t *testing.T) {
	var asked atomic.Int32
	rude := func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	}
	first, second := httptest.NewServer(http.HandlerFunc(rude)), httptest.NewServer(http.HandlerFunc(rude))
	t.Cleanup(first.Close)
	t.Cleanup(second.Close)
	status, _ := post(t, edge(t, balancer(t, first.URL, second.URL), "http://unused"), "k", `{}`)
	if status != http.StatusServiceUnavailable || asked.Load() != 1 {
		t.Errorf("status %d after %d sendings, want 503 after 1", status, asked.Load())
	}
}

func TestHowAnswersOfOrdersReachTheCustomer(t *testing.T) {
	tests := []struct {
		name   string
		answer error
		status int
		text   string
	}{
		{"a refusal in its own words", apierror.New(apierror.Unprocessable, "coupon X has expired"), 422, "coupon X has expired"},
		{"a bad request too", apierror.New(apierror.BadRequest, "order 1 to 20 items"), 400, "order 1 to 20 items"},
		{"no connection", apierror.New(apierror.Unavailable, "no connection was free"), 503, "no connection was free"},
		{"a timeout", apierror.New(apierror.Timeout, "too long"), 504, "too long"},
		{"an internal error becomes unavailable", io.ErrUnexpectedEOF, 503, "try again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { apierror.Write(w, tt.answer) }))
			t.Cleanup(server.Close)
			status, body := post(t, edge(t, balancer(t, server.URL), "http://unused"), "k", `{}`)
			if status != tt.status || !strings.Contains(body, tt.text) {
				t.Errorf("%d %s, want %d with %q", status, body, tt.status, tt.text)
			}
		})
	}
}

func TestNobodyReadyIsSaidAtOnce(t *testing.T) {
	for name, b := range map[string]*storefront.Balancer{"no replica": balancer(t), "only dead ones": balancer(t, dead(t), dead(t))} {
		if status, body := post(t, edge(t, b, "http://unused"), "k", `{}`); status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s, want 503", name, status, body)
		}
	}
}

func TestTheIdempotencyKeyIsPassedOnOrMade(t *testing.T) {
	keys := make(chan string, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("Idempotency-Key")
		jsonhttp.Write(w, http.StatusCreated, struct{}{})
	}))
	t.Cleanup(server.Close)
	url := edge(t, balancer(t, server.URL), "http://unused")
	post(t, url, "mine", `{}`)
	post(t, url, "", `{}`)
	if got := <-keys; got != "mine" {
		t.Errorf("passed on %q", got)
	}
	if got := <-keys; len(got) != 36 {
		t.Errorf("made %q, want a UUID", got)
	}
}

func TestBadBodiesEndAtTheEdge(t *testing.T) {
	url := edge(t, balancer(t, dead(t)), "http://unused")
	for body, want := range map[string]int{
		`{"customer":`: http.StatusBadRequest,
		``:             http.StatusBadRequest,
		`"` + strings.Repeat("x", jsonhttp.MaxBody) + `"`: http.StatusRequestEntityTooLarge,
	} {
		if status, answer := post(t, url, "k", body); status != want {
			t.Errorf("%.20q: %d %s, want %d", body, status, answer, want)
		}
	}
}

func TestDiscoveryFollowsTheDocumentAndKeepsTheLastGoodOne(t *testing.T) {
	document := make(chan string, 1)
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, <-document)
	}))
	t.Cleanup(server.Close)
	var got [][]storefront.Backend
	discovery, err := storefront.NewDiscovery(storefront.DiscoveryConfig{
		URL: server.URL, Client: http.DefaultClient, Tick: time.Hour, Log: quiet(),
		Set: func(_ context.Context, backends []storefront.Backend) { got = append(got, backends) },
	})
	if err != nil {
		t.Fatal(err)
	}
	poll := func(code int, text string) {
		status = code
		document <- text
		discovery.Poll(context.Background())
	}
	poll(200, `[{"targets":["127.0.0.1:2"],"labels":{"instance":"orders-2","version":"v1"}},{"targets":["127.0.0.1:1"],"labels":{"instance":"orders-1","version":"v2"}}]`)
	poll(500, ``)
	poll(200, `nonsense`)
	poll(200, `[]`)
	if len(got) != 2 || len(got[0]) != 2 || len(got[1]) != 0 {
		t.Fatalf("set %v, want two backends and then none", got)
	}
	if want := (storefront.Backend{URL: "http://127.0.0.1:1", Instance: "orders-1", Version: "v2", Group: storefront.Stable}); got[0][0] != want {
		t.Errorf("first %+v, want %+v", got[0][0], want)
	}
}

func TestBrowsingGoesToInventory(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/products/GONE" {
			apierror.Write(w, apierror.New(apierror.NotFound, "there is no product"))
			return
		}
		jsonhttp.Write(w, http.StatusOK, map[string]string{"path": r.URL.Path})
	}))
	t.Cleanup(server.Close)
	url := edge(t, balancer(t), server.URL)
	for path, want := range map[string]int{"/products": 200, "/products/SKU-0001": 200, "/products/GONE": 404} {
		response, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != want || (want == 200 && !strings.Contains(string(body), `"`+path+`"`)) {
			t.Errorf("%s: %d %s, want %d", path, response.StatusCode, body, want)
		}
	}
}
