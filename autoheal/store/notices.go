package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

func appendNotices(ctx context.Context, tx *sql.Tx, notices []incident.Notice) error {
	for _, n := range notices {
		raw, err := json.Marshal(n)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO notices (at, notice) VALUES (?, ?)`, text(n.At), string(raw)); err != nil {
			return fmt.Errorf("store: notices: %w", err)
		}
	}
	return nil
}

// Wanted says which notices a receiver is to get.
type Wanted struct {
	Since time.Time
	// Kinds are those that it wants; all where empty.
	Kinds []incident.NoticeKind
	// PagesOnly leaves out what needs nobody at once.
	PagesOnly bool
}

// Untold returns the wanted notices that a receiver is not through with, oldest first, at most so many.
func (s *Store) Untold(ctx context.Context, receiver string, want Wanted, limit int) ([]incident.Notice, error) {
	kinds, err := json.Marshal(append([]incident.NoticeKind{}, want.Kinds...)) // [] for none, never null
	if err != nil {
		return nil, fmt.Errorf("store: notices: %w", err)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT seq, notice FROM notices WHERE at >= ?1
		AND NOT EXISTS (SELECT 1 FROM told WHERE told.seq = notices.seq AND receiver = ?2)
		AND (json_array_length(?3) = 0 OR json_extract(notice, '$.kind') IN (SELECT value FROM json_each(?3)))
		AND (NOT ?4 OR json_extract(notice, '$.page'))
		ORDER BY seq LIMIT ?5`,
		text(want.Since), receiver, string(kinds), want.PagesOnly, limit)
	if err != nil {
		return nil, fmt.Errorf("store: notices: %w", err)
	}
	defer rows.Close()
	var notices []incident.Notice
	for rows.Next() {
		var (
			seq int64
			raw string
			n   incident.Notice
		)
		if err := rows.Scan(&seq, &raw); err != nil {
			return nil, fmt.Errorf("store: notices: %w", err)
		}
		if err := json.Unmarshal([]byte(raw), &n); err != nil {
			return nil, fmt.Errorf("store: notices: %w", err)
		}
		n.Seq = seq
		notices = append(notices, n)
	}
	return notices, rows.Err()
}

// Results of telling a receiver of a notice.
const (
	Sent    = "sent"
	GivenUp = "given-up"
)

// Told records that a receiver is through with a notice: it was sent, or given up.
func (s *Store) Told(ctx context.Context, seq int64, receiver, result string, at time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO told (seq, receiver, at, result) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			seq, receiver, text(at), result)
		if err != nil {
			return fmt.Errorf("store: notices: %w", err)
		}
		return nil
	})
}
