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

// Untold returns the notices since a time that a receiver is not through with, oldest first, at most so many.
func (s *Store) Untold(ctx context.Context, receiver string, since time.Time, limit int) ([]incident.Notice, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT seq, notice FROM notices WHERE at >= ?
		AND NOT EXISTS (SELECT 1 FROM told WHERE told.seq = notices.seq AND receiver = ?) ORDER BY seq LIMIT ?`,
		text(since), receiver, limit)
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
