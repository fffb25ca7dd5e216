package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/api"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func serve(t *testing.T, ready error) string {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "s.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // its content is not needed any more
	for i, id := range []string{"old", "new"} {
		at := t0.Add(time.Duration(i) * time.Hour)
		err := s.Save(t.Context(), store.Change{
			Incident: incident.Incident{ID: id, State: incident.Received, Stages: incident.Stages{WebhookReceived: &at}},
			Entries:  []incident.Entry{{At: at, Kind: "note", Text: "about " + id}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	taken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	h, err := api.New(api.Config{
		Records: s, Webhook: taken, Metrics: taken, Ready: func(context.Context) error { return ready },
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestTheAPI(t *testing.T) {
	url := serve(t, nil)
	for _, test := range []struct {
		name, path string
		status     int
		want       []string // in this order
	}{
		{"lists the newest first", "/api/v1/incidents", 200, []string{`"incidents":[`, `"id":"new"`, `"id":"old"`}},
		{"lists since a time", "/api/v1/incidents?since=2026-01-02T03:30:00Z", 200, []string{`"id":"new"`}},
		{"refuses what is no time", "/api/v1/incidents?since=yesterday", 400, []string{`"bad_request"`, "RFC 3339"}},
		{"gives one record", "/api/v1/incidents/old", 200, []string{`"id":"old"`, `"alerts":[]`}},
		{"does not know every incident", "/api/v1/incidents/none", 404, []string{`"not_found"`}},
		{"gives the audit", "/api/v1/incidents/old/audit", 200, []string{`"entries":[`, "about old"}},
		{"knows no audit of an unknown incident", "/api/v1/incidents/none/audit", 404, []string{`"not_found"`}},
		{"answers in JSON what is not there", "/nothing", 404, []string{`"not_found"`}},
		{"lives", "/livez", 200, nil},
		{"is ready", "/readyz", 200, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, body := get(t, url+test.path)
			rest := body
			for _, want := range test.want {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Errorf("%s lacks %q (in order)", body, want)
				}
				rest = after
			}
			if status != test.status || test.name == "lists since a time" && strings.Contains(body, `"old"`) {
				t.Errorf("answered %d %s; want %d", status, body, test.status)
			}
		})
	}
}

func TestAStoreThatCannotBeWrittenIsNotReady(t *testing.T) {
	status, body := get(t, serve(t, errors.New("disk full"))+"/readyz")
	if status != http.StatusServiceUnavailable || !json.Valid([]byte(body)) || !strings.Contains(body, "disk full") {
		t.Errorf("answered %d %s", status, body)
	}
}
