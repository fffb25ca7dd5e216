package loadgen

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// shopThatOpens answers as storefront does before and after its dependencies are there.
func shopThatOpens(t *testing.T, catalogue, orders *atomic.Bool) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/products") && catalogue.Load():
		case strings.HasPrefix(r.URL.Path, "/orders/") && orders.Load():
			w.WriteHeader(http.StatusNotFound)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestTheLoadWaitsUntilCatalogueAndOrdersAnswer(t *testing.T) {
	var catalogue, orders atomic.Bool
	url := shopThatOpens(t, &catalogue, &orders)
	opened := make(chan bool, 1)
	go func() { opened <- awaitOpening(t.Context(), http.DefaultClient, url, time.Minute) }()
	catalogue.Store(true)
	select {
	case <-opened:
		t.Fatal("it began although orders does not answer")
	case <-time.After(2 * openingPoll):
	}
	orders.Store(true)
	if !<-opened {
		t.Error("it gave up although the shop is open")
	}
}

func TestAShopThatNeverOpensIsNotWaitedForForEver(t *testing.T) {
	var never atomic.Bool
	if awaitOpening(t.Context(), http.DefaultClient, shopThatOpens(t, &never, &never), 10*time.Millisecond) {
		t.Error("a closed shop was taken for open")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if awaitOpening(ended, http.DefaultClient, "http://127.0.0.1:1", time.Hour) {
		t.Error("nobody is there, and it was taken for open")
	}
}
