package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/faultline-lab/faultline/autoheal/store"
	"github.com/faultline-lab/faultline/autoheal/webhook"
)

const token = "a-token"

type fixture struct {
	url   string
	store *store.Store
	woken int
	reg   *prometheus.Registry
}

// brokenDisk keeps nothing.
type brokenDisk struct{}

func (brokenDisk) SaveDelivery(context.Context, store.Delivery) (store.Counts, error) {
	return store.Counts{}, errors.New("disk full")
}

func serve(t testing.TB, keep webhook.Deliveries) *fixture {
	t.Helper()
	f := &fixture{reg: prometheus.NewRegistry()}
	if keep == nil {
		s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "s.db")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		f.store, keep = s, s
	}
	h, err := webhook.New(webhook.Config{
		Deliveries: keep, Token: token, Wake: func() { f.woken++ }, Registerer: f.reg, MaxBytes: 64 << 10,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fixture) post(t testing.TB, auth, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}

const firing = `{"version":"4","groupKey":"g","status":"firing","receiver":"r","truncatedAlerts":3,"somethingNew":{"a":1},
 "alerts":[{"status":"firing","labels":{"alertname":"A","workload":"orders"},"annotations":{},"unknown":true,
 "startsAt":"2026-01-02T03:04:05.678Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://p","fingerprint":"f1"}]}`

func TestTheWebhook(t *testing.T) {
	bearer := "Bearer " + token
	for _, test := range []struct {
		name, auth, body string
		status           int
		says             string
		kept             int
	}{
		{"takes an alert in", bearer, firing, 202, `"new":1`, 1},
		{"refuses without a token", "", firing, 401, "bearer token", 0},
		{"refuses a wrong token", "Bearer wrong", firing, 401, "bearer token", 0},
		{"refuses a token of another scheme", "Basic " + token, firing, 401, "bearer token", 0},
		{"refuses what is no JSON", bearer, `{"version":`, 400, "no JSON", 0},
		{"refuses an empty body", bearer, ``, 400, "no JSON", 0},
		{"refuses a list", bearer, `[]`, 400, "it is no object", 0},
		{"refuses what ends within an alert", bearer, firing[:len(firing)-20], 400, "no JSON", 0},
		{"refuses what ends between alerts", bearer, strings.TrimSuffix(firing, "]}"), 400, "no JSON", 0},
		{"refuses a second payload in one body", bearer, firing + firing, 400, "more after its end", 0},
		{"refuses alerts that are no list", bearer, `{"version":"4","alerts":{}}`, 400, "alerts must be a list", 0},
		{"refuses a payload whose alerts are null", bearer, `{"version":"4","alerts":null}`, 400, "no alerts", 0},
		{"refuses a bad alert after good ones", bearer, strings.Replace(firing, "]}", ",{}]}", 1), 400, "alerts[1]: the fingerprint", 0},
		{
			"takes a version that comes after the alerts", bearer,
			strings.Replace(strings.Replace(firing, `"version":"4",`, "", 1), "]}", `],"version":"4"}`, 1), 202, `"new":1`, 1,
		},
		{"refuses another version", bearer, `{"version":"3","alerts":[]}`, 400, `version is \"3\"`, 0},
		{"refuses a payload without alerts", bearer, `{"version":"4","alerts":[]}`, 400, "no alerts", 0},
		{
			"refuses an alert without a fingerprint", bearer, strings.Replace(firing, `"fingerprint":"f1"`, `"x":1`, 1), 400,
			"alerts[0]: the fingerprint", 0,
		},
		{
			"refuses an unknown status", bearer, strings.ReplaceAll(firing, `"status":"firing","labels"`, `"status":"odd","labels"`),
			400, "must be firing or resolved", 0,
		},
		{"refuses an alert without a start", bearer, strings.Replace(firing, `"startsAt"`, `"x"`, 1), 400, "startsAt", 0},
		{"refuses what is too large", bearer, `{"version":"4","groupKey":"` + strings.Repeat("x", 70<<10) + `"}`, 413, "max_alerts", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := serve(t, nil)
			status, answer := f.post(t, test.auth, test.body)
			if status != test.status || !strings.Contains(answer, test.says) {
				t.Errorf("answered %d %s; want %d with %q", status, answer, test.status, test.says)
			}
			waiting, err := f.store.Waiting(t.Context(), 100_000)
			if err != nil || len(waiting) != test.kept || f.woken != test.kept {
				t.Errorf("%d alerts kept, woken %d times, error %v; want %d", len(waiting), f.woken, err, test.kept)
			}
		})
	}
}

func TestTheWebhookAsksForARetryWhenTheDiskIsBroken(t *testing.T) {
	f := serve(t, brokenDisk{})
	status, answer := f.post(t, "Bearer "+token, firing)
	if status != http.StatusServiceUnavailable || strings.Contains(answer, "disk full") || f.woken != 0 {
		t.Errorf("answered %d %s, woken %d times; want 503 without internals", status, answer, f.woken)
	}
}

func TestDuplicatesAreCountedAndNotKept(t *testing.T) {
	f := serve(t, nil)
	for range 3 {
		if status, answer := f.post(t, "Bearer "+token, firing); status != 202 {
			t.Fatalf("answered %d %s", status, answer)
		}
	}
	want := `# HELP autoheal_alerts_received_total Alerts taken in, by what they were to the store: new, updated or duplicate.
# TYPE autoheal_alerts_received_total counter
autoheal_alerts_received_total{result="duplicate"} 2
autoheal_alerts_received_total{result="new"} 1
autoheal_alerts_received_total{result="updated"} 0
`
	if err := testutil.GatherAndCompare(f.reg, strings.NewReader(want), "autoheal_alerts_received_total"); err != nil {
		t.Error(err)
	}
}

func TestAnErrorAnswerIsTheContracts(t *testing.T) {
	_, answer := serve(t, nil).post(t, "", firing)
	var got struct {
		Error struct{ Code, Message string } `json:"error"`
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil || got.Error.Code != "unauthorized" || got.Error.Message == "" {
		t.Errorf("answered %s, error %v", answer, err)
	}
}

// FuzzTheWebhook sends anything at all: the answer is one of the contract, and 202 means that the alerts are kept.
func FuzzTheWebhook(f *testing.F) {
	for _, seed := range []string{
		firing, ``, `{}`, `[]`, `null`, `{"version":"4","alerts":[null]}`, `{"version":"4","alerts":[{}]}`, "\xff\xfe",
		`{"version":"4","truncatedAlerts":-1,"alerts":[{}]}`,
		strings.Replace(firing, "2026-01-02", "9999-12-31", 1), strings.Replace(firing, "2026", "0000", 1),
		strings.ReplaceAll(firing, "firing", "resolved"),
	} {
		f.Add([]byte(seed))
	}
	fixture := serve(f, nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		status, answer := fixture.post(t, "Bearer "+token, string(body))
		switch status {
		case http.StatusAccepted:
			var p struct {
				Alerts []struct{ Fingerprint string }
			}
			if err := json.Unmarshal(body, &p); err != nil || len(p.Alerts) == 0 {
				t.Errorf("accepted %q, which has no alerts (%v)", body, err)
			}
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
			if !bytes.Contains([]byte(answer), []byte(`"message"`)) {
				t.Errorf("answered %d without a reason: %s", status, answer)
			}
		default:
			t.Errorf("answered %d %s to %q", status, answer, body)
		}
	})
}

// BenchmarkAThousandAlertsInOneWebhook measures from the request to the 202, over real HTTP and on a real disk.
func BenchmarkAThousandAlertsInOneWebhook(b *testing.B) {
	s, err := store.Open(b.Context(), store.Config{Path: filepath.Join(b.TempDir(), "s.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	h, err := webhook.New(webhook.Config{
		Deliveries: s, Token: token, Wake: func() {}, Registerer: prometheus.NewRegistry(),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	f := &fixture{url: server.URL}
	n := 0
	for b.Loop() {
		var alerts []string
		for range 1000 {
			n++
			alerts = append(alerts, fmt.Sprintf(`{"status":"firing","labels":{"alertname":"A","workload":"orders","n":"%d"},`+
				`"startsAt":%q,"fingerprint":"f%d"}`, n, time.Now().UTC().Format(time.RFC3339Nano), n))
		}
		body := `{"version":"4","alerts":[` + strings.Join(alerts, ",") + `]}`
		if status, answer := f.post(b, "Bearer "+token, body); status != 202 {
			b.Fatalf("answered %d %s", status, answer)
		}
	}
}
