package store

import (
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
)

// TestEvidenceMovesIntoItsTableAndBack migrates a record of a healer that kept its evidence within it.
func TestEvidenceMovesIntoItsTableAndBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	db, err := open(path, "foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		t.Fatal(err)
	}
	const before = 7
	if _, err := provider.UpTo(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	const record = `{"id":"i1","evidence":[{"name":"a","value":1,"round":1},{"name":"b","value":2.5,"round":1},{"name":"a","value":3,"round":2}],"actions":null}`
	const without = `{"id":"i2","evidence":null}`
	for id, text := range map[string]string{"i1": record, "i2": without} {
		if _, err := db.ExecContext(t.Context(), `INSERT INTO incidents (id, opened_at, open, record, progress) VALUES (?, '2026', 1, ?, '{}')`, id, text); err != nil {
			t.Fatal(err)
		}
	}

	s, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, _, err := s.Load(t.Context(), "i1")
	if err != nil || len(in.Evidence) != 3 || in.Evidence[1].Value != 2.5 || in.Evidence[2].Round != 2 {
		t.Errorf("evidence %+v, error %v", in.Evidence, err)
	}
	if in, err := s.Get(t.Context(), "i2"); err != nil || in.Evidence == nil || len(in.Evidence) > 0 {
		t.Errorf("evidence %+v, error %v; want none", in.Evidence, err)
	}
	for _, change := range []string{`UPDATE evidence SET facts = '[]'`, `DELETE FROM evidence`} {
		if _, err := db.ExecContext(t.Context(), change); err == nil {
			t.Errorf("%s was allowed", change)
		}
	}

	if _, err := provider.DownTo(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	var back string
	if err := db.QueryRowContext(t.Context(), `SELECT json_extract(record, '$.evidence') FROM incidents WHERE id = 'i1'`).Scan(&back); err != nil {
		t.Fatal(err)
	}
	if want := record[len(`{"id":"i1","evidence":`) : len(record)-len(`,"actions":null}`)]; back != want {
		t.Errorf("it came back as %s, want %s", back, want)
	}
}
