package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/guard"
)

// output is a writer that tests can read while the program writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var listening = regexp.MustCompile(`"address":"(127\.0\.0\.1:\d+)"`)

// nowhere is a URL at which nobody answers.
func nowhere(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// serve starts the server with nobody around it. What is returned is where it answers, what it writes, and what stops it
// and waits for its end.
func serve(t *testing.T, flags ...string) (base string, out *output, stop func()) {
	t.Helper()
	dir, away := t.TempDir(), nowhere(t)
	tokenFile := filepath.Join(dir, "token")
	if err := os.WriteFile(tokenFile, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out = &output{}
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{
			"serve", "--listen=127.0.0.1:0", "--store=" + filepath.Join(dir, "s.db"), "--webhook-token-file=" + tokenFile,
			"--control-token-file=" + tokenFile, "--control-url=" + away, "--prometheus-url=" + away, "--edge-metrics-url=" + away,
			"--database-admin-url=postgres://u@" + strings.TrimPrefix(away, "http://") + "/db",
		}, flags...), out, io.Discard)
	}()
	eventually(t, func() error {
		found := listening.FindStringSubmatch(out.String())
		if found == nil {
			return fmt.Errorf("it does not say where it listens: %s", out.String())
		}
		base = "http://" + found[1]
		return nil
	})
	return base, out, func() {
		t.Helper()
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("it ended with %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("it does not stop")
		}
	}
}

// TestTheWholeProgram sends a server with nobody around it an alert, and expects a person to get it: what the
// healer cannot see, it does not touch. Then it stops in order.
func TestTheWholeProgram(t *testing.T) {
	ctx := t.Context()
	base, _, stop := serve(t)
	expect(t, base, "/readyz", "")
	expect(t, base, "/metrics", `autoheal_guard_refusals_total{guard="cooldown"`)
	post(t, base)
	eventually(t, func() error {
		var table bytes.Buffer
		if err := run(ctx, []string{"incidents", "--url=" + base}, &table, io.Discard); err != nil {
			return err
		}
		if !strings.Contains(table.String(), "escalated") || !strings.Contains(table.String(), "handed-over") {
			return fmt.Errorf("incidents: %s", table.String())
		}
		var page bytes.Buffer
		id := regexp.MustCompile(`\d{8}-\d{6}-\w+`).FindString(table.String())
		if err := run(ctx, []string{"show", "--url=" + base, id}, &page, io.Discard); err != nil {
			return err
		}
		for _, want := range []string{"unknown", "AUDIT", "received -> diagnosed", "diagnosed -> escalated"} {
			if !strings.Contains(page.String(), want) {
				return fmt.Errorf("show lacks %q: %s", want, page.String())
			}
		}
		return nil
	})
	if err := run(ctx, []string{"show", "--url=" + base, "nobody"}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "no such incident") {
		t.Errorf("an unknown incident: %v", err)
	}
	stop()
}

// The flag is there to measure what telemetry costs, so nothing of it may be left, and the healer must still heal.
func TestWithTelemetryOffNothingIsMeasuredAndAlertsAreTakenIn(t *testing.T) {
	away := nowhere(t)
	base, out, stop := serve(t, "--telemetry=off", "--traces-url="+away, "--logs-url="+away)
	post(t, base)
	eventually(t, func() error {
		if !strings.Contains(out.String(), "incident handed over to a person") {
			return fmt.Errorf("nothing came of the alert: %s", out.String())
		}
		return nil
	})
	if strings.Contains(out.String(), "trace_id") {
		t.Errorf("lines carry traces: %s", out.String())
	}
	if page := fetch(t, base+"/metrics"); page != "" && !strings.HasPrefix(page, "# EOF") {
		t.Errorf("the metrics page has something: %s", page)
	}
	stop()
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func expect(t *testing.T, base, path, want string) {
	t.Helper()
	res, err := http.Get(base + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
		t.Errorf("%s answered %d without %q, error %v", path, res.StatusCode, want, err)
	}
}

func post(t *testing.T, base string) {
	t.Helper()
	body := `{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"A","workload":"orders"},
	  "startsAt":"2026-01-02T03:04:05Z","fingerprint":"f1"}]}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/webhook/alertmanager", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer secret")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		t.Fatalf("the webhook answered %s", res.Status)
	}
}

func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestTheKillSwitchIsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stop")
	for _, test := range []struct {
		name string
		path string
		make bool
		want guard.Switch
	}{
		{"without a path there is no switch", "", false, guard.SwitchOff},
		{"no file means off", path, false, guard.SwitchOff},
		{"a file means on", path, true, guard.SwitchOn},
		{"what cannot be read is unknown", filepath.Join(path, "under-a-file"), false, guard.SwitchUnknown},
	} {
		if test.make {
			if err := os.WriteFile(path, nil, 0o600); err != nil && !errors.Is(err, os.ErrExist) {
				t.Fatal(err)
			}
		}
		if got := killSwitch(test.path)(); got != test.want {
			t.Errorf("%s: %v; want %v", test.name, got, test.want)
		}
	}
}

// A harmful rung must not keep a healer from its other causes, and nobody may overlook it.
func TestAHealerStartsWithAHarmfulRungAndSaysSo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.yaml")
	harmful := "version: 1\ncauses:\n  lock-contention:\n    ladder:\n" +
		"      - {remedy: restart-replicas, timeout: 15s, verify: {readings: 3, within: 15s}}\n"
	if err := os.WriteFile(file, []byte(harmful), 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, stop := serve(t, "--playbook="+file)
	if want := "p.yaml:5:18: restart-replicas makes lock-contention worse"; !strings.Contains(out.String(), want) {
		t.Errorf("nothing is said of %q: %s", want, out.String())
	}
	stop()
}
