package record_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/faultline-lab/faultline/postmortems/record"
)

func serve(t *testing.T, status int, body string) *record.API {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	api, err := record.NewAPI(record.Config{BaseURL: server.URL + "/"})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func TestAnAnswerThatIsNoIncidentIsAnErrorThatSaysSo(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"an error of the API keeps its message", 503, `{"error":{"code":"unavailable","message":"the store is full"}}`, "the store is full"},
		{"an error of something else keeps its beginning", 502, "Bad gateway\n", "502 Bad Gateway: Bad gateway"},
		{"a page that is no JSON", 200, "<html>", "not what autoheal's API promises"},
		{"JSON that is no incident", 200, `{"status":"ok"}`, "is that autoheal?"},
		{"no such incident", 404, `{}`, "postmortem list"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := serve(t, test.status, test.body).Incident(t.Context(), "inc-1")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
		})
	}
}

func TestTheLatestOfNoneIsItsOwnError(t *testing.T) {
	_, err := serve(t, http.StatusOK, `{"incidents":[]}`).Latest(t.Context())
	if !errors.Is(err, record.ErrNone) {
		t.Errorf("got %v", err)
	}
}

func TestAnIDCannotReachAnotherPath(t *testing.T) {
	if got := record.Path("../../webhook?x=1"); strings.ContainsAny(strings.TrimPrefix(got, "/api/v1/incidents/"), "/?") {
		t.Errorf("the path is %s", got)
	}
}

func FuzzFileNeverPanics(f *testing.F) {
	f.Add([]byte(`{"id":"inc-1","stages":{"ended":"2026-01-02T12:00:00Z"}}`))
	f.Add([]byte(`{"id":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "incident.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := record.File(path)
		if err == nil && in.ID == "" {
			t.Error("a record without an id was taken for an incident")
		}
	})
}
