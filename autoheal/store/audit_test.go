package store

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

func TestTheAuditCannotBeChanged(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "s.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	err = s.Save(t.Context(), Change{
		Incident: incident.Incident{ID: "i1", State: incident.Received},
		Entries:  []incident.Entry{{At: at, Kind: "note", Text: "true"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`UPDATE audit SET text = 'false'`, `DELETE FROM audit`} {
		if _, err := s.write.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: error %v; want a refusal", statement, err)
		}
	}
	entries, err := s.Audit(t.Context(), "i1")
	if err != nil || len(entries) != 1 || entries[0].Text != "true" {
		t.Errorf("the audit is %+v, error %v", entries, err)
	}
}

func TestAcknowledgedMeansOnDisk(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "s.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var mode string
	var synchronous int
	if err := s.write.QueryRowContext(t.Context(), `PRAGMA journal_mode`).Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal mode %s, error %v; want wal", mode, err)
	}
	if err := s.write.QueryRowContext(t.Context(), `PRAGMA synchronous`).Scan(&synchronous); err != nil || synchronous != 2 {
		t.Errorf("synchronous %d, error %v; want 2 (FULL)", synchronous, err)
	}
}
