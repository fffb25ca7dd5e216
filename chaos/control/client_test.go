package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
)

// workloads is the document of docs/contracts.md.
const workloads = `{"workloads":[{"name":"orders","labels":{"faultline.dev/autoheal":"enabled"},"desired":2,"max":8,"version":"v1","versions":["v1"],
  "replicas":[{"id":"orders-1","start_id":"%s","state":"%s","version":"v1","address":"127.0.0.1:8101","pid":77,
               "started_at":"2026-01-02T03:04:05Z","ready_at":null,"restarts":0}]}]}`

func client(t *testing.T, handler http.HandlerFunc) *control.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := control.New(control.Config{BaseURL: server.URL, Token: "secret", PollInterval: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChangesAreSentAsTheContractSays(t *testing.T) {
	var got string
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = fmt.Sprintf("%s %s %s %s", r.Method, r.URL.Path, r.Header.Get("Authorization"), body)
		w.WriteHeader(http.StatusAccepted)
	})
	for _, tt := range []struct {
		name string
		do   func(context.Context) error
		want string
	}{
		{
			"restart", func(ctx context.Context) error { return c.Restart(ctx, "orders", "orders-1", "0f3c") },
			`POST /v1/workloads/orders/replicas/orders-1/restart Bearer secret {"start_id":"0f3c"}`,
		},
		{
			"scale", func(ctx context.Context) error { return c.Scale(ctx, "autoheal", 0) },
			`PUT /v1/workloads/autoheal/scale Bearer secret {"replicas":0}`,
		},
		{
			"wipe", func(ctx context.Context) error { return c.WipeState(ctx, "autoheal") },
			`DELETE /v1/workloads/autoheal/state Bearer secret `,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.do(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("sent %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestAWorkloadIsFoundByItsName(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a read needs no token and should not spread it")
		}
		fmt.Fprintf(w, workloads, "0f3c", "ready")
	})
	orders, err := c.Workload(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	replica, ok := orders.Replica("orders-1")
	if !ok || replica.StartID != "0f3c" || replica.State != control.Ready || orders.Desired != 2 {
		t.Errorf("got %+v", orders)
	}
	if _, err := c.Workload(t.Context(), "ordres"); err == nil || !strings.Contains(err.Error(), "there are: orders") {
		t.Errorf("a workload that is not there: %v", err)
	}
}

func TestRefusalsCarryTheSupervisorsWords(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"code": "conflict", "message": "it is 77aa now"}})
	})
	err := c.Restart(t.Context(), "orders", "orders-1", "0f3c")
	if !errors.Is(err, control.ErrConflict) || !strings.Contains(err.Error(), "it is 77aa now") {
		t.Errorf("got %v", err)
	}
}

func TestWaitReplacedWaitsForTheNewStart(t *testing.T) {
	states := []string{"", "old ready", "old stopping", "new starting", "new ready"}
	var n atomic.Int64
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		step := int(n.Add(1)) - 1
		if step == 0 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		start, state, _ := strings.Cut(states[min(step, len(states)-1)], " ")
		fmt.Fprintf(w, strings.Replace(workloads, `"desired":2`, `"desired":1`, 1), start, state)
	})
	err := c.WaitReplaced(t.Context(), "orders", "orders-1", "old")
	if err != nil || n.Load() != int64(len(states)) {
		t.Errorf("after %d looks: %v", n.Load(), err)
	}
}

func TestWaitReplacedGivesUpWithTheContextAndSaysHowItStood(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int64
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 2 {
			cancel()
		}
		fmt.Fprintf(w, workloads, "new", "crashed")
	})
	err := c.WaitReplaced(ctx, "orders", "orders-1", "old")
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "0 of 2 replicas of orders are ready") {
		t.Errorf("got %v", err)
	}
}

func TestNoAddressIsAnError(t *testing.T) {
	if _, err := control.New(control.Config{}); err == nil {
		t.Error("want an error")
	}
}
