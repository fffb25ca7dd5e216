package endpoints

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWhatIsWrittenIsReadAndOnlyItsOwnerMayReadIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stack.json")
	stack := Stack{
		Target: "local", PID: 42, StartedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Endpoints:    Endpoints{Storefront: "http://127.0.0.1:8080", OTLP: "http://127.0.0.1:4318"},
		DatabaseURLs: map[string]string{"admin": "postgres://u:secret@127.0.0.1:5433/postgres"},
	}
	if err := Write(path, stack); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil || got.PID != 42 || got.Endpoints != stack.Endpoints || got.DatabaseURLs["admin"] != stack.DatabaseURLs["admin"] {
		t.Errorf("read %+v, %v", got, err)
	}
	data, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(data), `"otlp"`) || strings.Contains(string(data), `"grafana"`) {
		t.Errorf("%s, %v; what is there is named, and what is not is left out", data, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; it holds passwords", info.Mode(), err)
	}
}

func TestWithoutAFileNothingRuns(t *testing.T) {
	if _, err := Read(filepath.Join(t.TempDir(), "stack.json")); !errors.Is(err, ErrNotRunning) {
		t.Errorf("error %v, want ErrNotRunning", err)
	}
}

func TestATokenIsReadWithoutItsLineEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if token, err := Token(path); err != nil || token != "abc" {
		t.Errorf("token %q, %v", token, err)
	}
}
