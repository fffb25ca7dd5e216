package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

const insertEntry = `INSERT INTO audit (at, incident_id, kind, text) VALUES (?, ?, ?, ?)`

func appendEntries(ctx context.Context, tx *sql.Tx, id string, entries []incident.Entry) error {
	for _, e := range entries {
		if _, err := tx.ExecContext(ctx, insertEntry, text(e.At), id, e.Kind, e.Text); err != nil {
			return fmt.Errorf("store: audit: %w", err)
		}
	}
	return nil
}

// Audit returns the audit of one incident in the order in which it was written. Entries cannot be changed or deleted:
// the database itself refuses it. It returns ErrNotFound when there is no such incident.
func (s *Store) Audit(ctx context.Context, id string) ([]incident.Entry, error) {
	if _, _, err := s.Load(ctx, id); err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT seq, at, incident_id, kind, text FROM audit WHERE incident_id = ?
		ORDER BY seq`, id)
	if err != nil {
		return nil, fmt.Errorf("store: audit: %w", err)
	}
	defer rows.Close()
	entries := []incident.Entry{}
	for rows.Next() {
		var (
			e  incident.Entry
			at string
		)
		if err := rows.Scan(&e.Seq, &at, &e.IncidentID, &e.Kind, &e.Text); err != nil {
			return nil, fmt.Errorf("store: audit: %w", err)
		}
		if e.At, err = time.Parse(layout, at); err != nil {
			return nil, fmt.Errorf("store: audit: %w", err)
		}
		entries = append(entries, e)
	}
	return entries, rows.Err()
}
