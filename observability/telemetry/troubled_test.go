package telemetry_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

// troubled asks a server whose every request is slow, or none, and returns the lines about requests.
func troubled(t *testing.T, slow time.Duration, path string) []map[string]any {
	t.Helper()
	out := &lines{}
	tel := start(t, telemetry.Config{LogWriter: out, SlowRequest: slow})
	routes := chi.NewRouter()
	routes.Use(tel.Middleware)
	routes.Mount("/", router())
	routes.Get("/silent", func(http.ResponseWriter, *http.Request) {})
	routes.Get("/stream", func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(routes)
	call(t, server.Client(), http.MethodGet, server.URL+path)
	server.Close() // it waits for the handler, which logs after it has answered

	var found []map[string]any
	for line := range strings.Lines(out.String()) {
		record := map[string]any{}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		found = append(found, record)
	}
	return found
}

func TestARequestThatFailsOrIsSlowLeavesALineWithItsTrace(t *testing.T) {
	const always, never = time.Nanosecond, time.Hour
	for name, c := range map[string]struct {
		slow           time.Duration
		path, msg      string
		status         float64
		route, nothing string
	}{
		"a failure":                   {slow: never, path: "/broken", msg: "request failed", status: 503, route: "/broken"},
		"a failure that is slow too":  {slow: always, path: "/broken", msg: "request failed", status: 503, route: "/broken"},
		"a slow success":              {slow: always, path: "/v1/things/9/parts", msg: "request slow", status: 200, route: "/v1/things/{thing}/parts"},
		"a slow handler that is mute": {slow: always, path: "/silent", msg: "request slow", status: 200, route: "/silent"},
		"no route, and slow":          {slow: always, path: "/nowhere", msg: "request slow", status: 404, route: "/*"},
		"a success":                   {slow: never, path: "/v1/things/9/parts", nothing: "a success needs no line"},
		"a refusal":                   {slow: never, path: "/nowhere", nothing: "the caller's mistakes are the caller's"},
		"a stream":                    {slow: always, path: "/stream", nothing: "a stream takes as long as it is read"},
		"a probe":                     {slow: always, path: "/livez", nothing: "machines ask every second"},
	} {
		t.Run(name, func(t *testing.T) {
			found := troubled(t, c.slow, c.path)
			if c.nothing != "" {
				if len(found) != 0 {
					t.Errorf("%v, but %s", found, c.nothing)
				}
				return
			}
			if len(found) != 1 {
				t.Fatalf("lines: %v", found)
			}
			line := found[0]
			if line["msg"] != c.msg || line["level"] != "WARN" || line["status"] != c.status ||
				line["route"] != c.route || line["method"] != "GET" {
				t.Errorf("%v", line)
			}
			if took, ok := line["duration_ms"].(float64); !ok || took < 0 {
				t.Errorf("duration_ms is %v", line["duration_ms"])
			}
			if id, ok := line["trace_id"].(string); !ok || len(id) != 32 {
				t.Errorf("trace_id is %v", line["trace_id"])
			}
		})
	}
}
