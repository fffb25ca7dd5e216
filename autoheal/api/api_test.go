package api_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// serve has three incidents; one of them asks a question that is open until an hour after t0.
func serve(t *testing.T, ready error) string {
	t.Helper()
	cfg := config(t, ready)
	for i, in := range []incident.Incident{
		{ID: "old", State: incident.Received},
		{ID: "asks", State: incident.Awaiting, Approval: &incident.Approval{Remedy: "restart-replicas", AskedAt: t0, Expires: t0.Add(time.Hour)}},
		{ID: "new", State: incident.Closed, Outcome: incident.Recovered},
	} {
		at := t0.Add(time.Duration(i) * time.Hour)
		in.Stages.WebhookReceived = &at
		in.Evidence, in.Verdicts, in.Actions = []incident.Fact{}, []incident.Verdict{}, []incident.Action{}
		err := cfg.Records.(*store.Store).Save(t.Context(), store.Change{
			Incident: in, Entries: []incident.Entry{{At: at, Kind: "note", Text: "about " + in.ID}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(handler(t, cfg))
	t.Cleanup(server.Close)
	return server.URL
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	return call(t, http.MethodGet, url, "", "")
}

func call(t *testing.T, method, url, body, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
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

func TestTheAPI(t *testing.T) {
	url := serve(t, nil)
	for _, test := range []struct {
		name, path string
		status     int
		want       []string // in this order
	}{
		{"lists the newest first", "/api/v1/incidents", 200, []string{`"incidents":[`, `"id":"new"`, `"id":"asks"`, `"id":"old"`}},
		{"lists since a time", "/api/v1/incidents?since=2026-01-02T03:30:00Z", 200, []string{`"id":"new"`}},
		{"lists what is open", "/api/v1/incidents?state=open", 200, []string{`"id":"asks"`, `"id":"old"`}},
		{"lists one state", "/api/v1/incidents?state=closed&state=escalated", 200, []string{`[{"id":"new"`, `}]}`}},
		{"lists as many as are asked for", "/api/v1/incidents?limit=1", 200, []string{`[{"id":"new"`, `}]}`}},
		{"refuses what is no state", "/api/v1/incidents?state=well", 400, []string{`state \"well\" is none`}},
		{"refuses what is no limit", "/api/v1/incidents?limit=-1", 400, []string{"limit is no number from 1 on"}},
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
			if status != test.status || strings.Contains(test.path, "?") && strings.Contains(body, `"id":"old"`) != slices.Contains(test.want, `"id":"old"`) {
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
