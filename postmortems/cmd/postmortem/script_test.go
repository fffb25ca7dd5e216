package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"postmortem": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"autoheal": autoheal},
	})
}

// autoheal FILE... serves the records in the files through the paths of autoheal's API, newest first as they are named,
// and puts the address into $AUTOHEAL. Each has one audit entry.
func autoheal(ts *testscript.TestScript, neg bool, files []string) {
	if neg {
		ts.Fatalf("unsupported: ! autoheal")
	}
	mux := http.NewServeMux()
	all := []json.RawMessage{}
	for _, file := range files {
		record := json.RawMessage(ts.ReadFile(file))
		var id struct {
			ID string `json:"id"`
		}
		ts.Check(json.Unmarshal(record, &id))
		all = append(all, record)
		answer(mux, "/api/v1/incidents/"+id.ID, record)
		answer(mux, "/api/v1/incidents/"+id.ID+"/audit", map[string]any{"entries": []map[string]any{
			{"seq": 1, "at": "2026-01-02T12:00:00.310Z", "incident_id": id.ID, "kind": "alert", "text": "on disk"},
		}})
	}
	answer(mux, "/api/v1/incidents", map[string]any{"incidents": all})
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	ts.Setenv("AUTOHEAL", server.URL)
}

func answer(mux *http.ServeMux, path string, body any) {
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	})
}

func TestAStoppedCommandWritesNoHalfReport(t *testing.T) {
	dir := t.TempDir()
	record := dir + "/incident.json"
	if err := os.WriteFile(record, []byte(`{"id":"inc-1","state":"closed"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := run(ctx, []string{"write", record, "--dir", dir + "/out", "--stack", dir + "/none.json"}, os.Stdout, os.Stderr)
	if err == nil {
		t.Fatal("a cancelled command reports success")
	}
	if _, err := os.Stat(dir + "/out"); !os.IsNotExist(err) {
		t.Errorf("something was written: %v", err)
	}
}
