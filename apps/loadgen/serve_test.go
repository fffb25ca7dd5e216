package loadgen

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/service"
)

// paper is an io.Writer that may be read while it is written to.
type paper struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *paper) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(data)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func TestTheWholeProgramAgainstARealServer(t *testing.T) {
	store := newStorefront(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
		}
	})
	address := make(chan net.Addr, 1)
	out := &paper{}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, Config{
			Flags: service.Flags{
				Listen: "127.0.0.1:0", Instance: "loadgen-1", ServiceVersion: "v1", LogFormat: "json", DrainTimeout: time.Second,
				OnListen: func(a net.Addr) { address <- a },
			},
			StorefrontURL: store.URL, Rate: 50, Browse: 5, Seed: 1, Customers: 10, Products: 10, MaxInFlight: 100, Print: true,
		}, out)
	}()
	base := "http://" + (<-address).String()

	deadline := time.Now().Add(30 * time.Second)
	for !strings.Contains(out.String(), "ok   sent  50  good  50") {
		if time.Now().After(deadline) {
			t.Fatalf("no good second was printed:\n%s", out)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if _, body := get(t, base+"/v1/sli"); !strings.Contains(body, `"sent":50,"good":50`) {
		t.Errorf("seconds: %s", body)
	}
	_, metrics := get(t, base+"/metrics")
	for _, want := range []string{
		`loadgen_checkouts_total{outcome="good"}`, `loadgen_checkouts_total{outcome="failed"} 0`, `loadgen_target_checkouts_per_second 50`,
		`loadgen_in_flight_requests`, `loadgen_send_lateness_seconds_bucket`, `loadgen_seconds_total{ok="true"}`, `loadgen_browses_total{status="200"}`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s on the scrape page", want)
		}
	}
	for _, page := range []string{"/livez", "/readyz"} {
		if response, _ := get(t, base+page); response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", page, response.Status)
		}
	}
	follower, err := http.Get(base + "/v1/sli?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer follower.Body.Close()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	if strings.Contains(out.String(), "requests were cut off") {
		t.Errorf("a follower held up the end:\n%s", out)
	}
}
