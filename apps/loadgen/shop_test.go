package loadgen

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

// storefront is a real HTTP server that remembers what it was sent.
type storefront struct {
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	conns    map[net.Conn]bool
	answer   http.HandlerFunc
	*httptest.Server
}

func newStorefront(t *testing.T, answer http.HandlerFunc) *storefront {
	t.Helper()
	s := &storefront{answer: answer, conns: map[net.Conn]bool{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.requests, s.bodies = append(s.requests, r), append(s.bodies, string(body))
		s.mu.Unlock()
		s.answer(w, r)
	}))
	s.Config.ConnState = func(c net.Conn, _ http.ConnState) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.conns[c] = true
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func newHTTPShop(t *testing.T, url string) *HTTPShop {
	t.Helper()
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Service: "loadgen", Instance: "loadgen-1"})
	if err != nil {
		t.Fatal(err)
	}
	transport := NewTransport(100)
	t.Cleanup(transport.CloseIdleConnections)
	shop, err := NewHTTPShop(HTTPShopConfig{
		BaseURL: url, Transport: tel.Transport(transport), Tracer: tel.TracerProvider().Tracer("test"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return shop
}

func created(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(strings.Repeat("x", 10_000)))
}

func TestACheckoutIsSentAsTheContractSays(t *testing.T) {
	store := newStorefront(t, created)
	shop := newHTTPShop(t, store.URL+"/")
	checkout := Checkout{Key: "k-1", Customer: "c-17", Items: []Item{{SKU: "SKU-0001", Quantity: 1}}}
	status, span := shop.Checkout(t.Context(), checkout)
	if status != http.StatusCreated {
		t.Fatalf("status %d", status)
	}
	got := store.requests[0]
	if got.Method+" "+got.URL.Path != "POST /checkout" || got.Header.Get("Idempotency-Key") != "k-1" {
		t.Errorf("sent %s %s with key %q", got.Method, got.URL.Path, got.Header.Get("Idempotency-Key"))
	}
	if store.bodies[0] != `{"customer":"c-17","items":[{"sku":"SKU-0001","quantity":1}]}` {
		t.Errorf("body %s", store.bodies[0])
	}
	if parent := got.Header.Get("Traceparent"); !span.IsSampled() || !strings.Contains(parent, span.TraceID().String()) {
		t.Errorf("traceparent %q, and the span that is reported is %v", parent, span)
	}
	if status := shop.Browse(t.Context(), "SKU-0002"); status != http.StatusCreated || store.requests[1].URL.Path != "/products/SKU-0002" {
		t.Errorf("browsing: %d from %s", status, store.requests[1].URL.Path)
	}
}

func TestEveryCheckoutIsATraceOfItsOwnOnAReusedConnection(t *testing.T) {
	store := newStorefront(t, created)
	shop := newHTTPShop(t, store.URL)
	traces := map[string]bool{}
	for range 20 {
		_, span := shop.Checkout(t.Context(), Checkout{Key: "k", Items: []Item{{}}})
		traces[span.TraceID().String()] = true
	}
	if len(traces) != 20 {
		t.Errorf("%d traces for 20 checkouts", len(traces))
	}
	store.mu.Lock()
	defer store.mu.Unlock()
	if len(store.conns) != 1 {
		t.Errorf("%d connections for 20 checkouts one after the other", len(store.conns))
	}
}

func TestWithoutAnAnswerTheTraceIsStillKnown(t *testing.T) {
	stalled := newStorefront(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	half := newStorefront(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusCreated)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	gone := newStorefront(t, created)
	gone.Close()
	for name, url := range map[string]string{
		"a server that does not answer":   stalled.URL,
		"an answer that never ends":       half.URL,
		"a server that cannot be reached": gone.URL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			status, span := newHTTPShop(t, url).Checkout(t.Context(), Checkout{Key: "k", Items: []Item{{}}})
			if status != 0 || !span.IsValid() {
				t.Errorf("status %d, span %v", status, span)
			}
			if waited := time.Since(begun); strings.Contains(name, "answer") && waited < ClientDeadline {
				t.Errorf("gave up after %s, before the deadline", waited)
			}
		})
	}
}

func TestAnAddressThatIsNoneIsAnError(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:8080", "storefront"} {
		if _, err := NewHTTPShop(HTTPShopConfig{BaseURL: url}); err == nil || !strings.Contains(err.Error(), "http://") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
