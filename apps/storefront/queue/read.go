package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const selectEntry = `SELECT id, key, body, traceparent, accepted_at, attempts, state, answer FROM entries`

type row interface{ Scan(into ...any) error }

func scan(from row) (Entry, error) {
	var entry Entry
	var body, answer []byte
	var acceptedAt int64
	err := from.Scan(&entry.ID, &entry.Key, &body, &entry.Traceparent, &acceptedAt, &entry.Attempts, &entry.State, &answer)
	if errors.Is(err, sql.ErrNoRows) {
		return Entry{}, ErrNotFound
	}
	if err != nil {
		return Entry{}, fmt.Errorf("read an entry: %w", err)
	}
	entry.Body, entry.Answer, entry.AcceptedAt = body, answer, time.UnixMilli(acceptedAt).UTC()
	return entry, nil
}

// Find gives the entry of a key, or ErrNotFound.
func (q *Queue) Find(ctx context.Context, key string) (Entry, error) {
	return scan(q.read.QueryRowContext(ctx, selectEntry+` WHERE key = ?`, key))
}

// Backlog is what waits to be completed.
type Backlog struct {
	Waiting   int
	OldestAge time.Duration // 0 when nothing waits
}

// Backlog counts what waits.
func (q *Queue) Backlog(ctx context.Context) (Backlog, error) {
	var backlog Backlog
	var oldest sql.NullInt64
	err := q.read.QueryRowContext(ctx, `SELECT count(*), min(accepted_at) FROM entries WHERE state = 'accepted'`).
		Scan(&backlog.Waiting, &oldest)
	if err != nil {
		return Backlog{}, fmt.Errorf("count what waits in the queue: %w", err)
	}
	if oldest.Valid {
		backlog.OldestAge = max(0, time.Since(time.UnixMilli(oldest.Int64)))
	}
	return backlog, nil
}

// due gives the entry that has waited longest for its turn, of those that are not in work; false when there is none.
func (q *Queue) due(ctx context.Context, now time.Time, inWork map[int64]bool) (Entry, bool, error) {
	rows, err := q.read.QueryContext(ctx, selectEntry+` WHERE state = 'accepted' AND due_at <= ? ORDER BY due_at, id LIMIT ?`,
		now.UnixMilli(), len(inWork)+1)
	if err != nil {
		return Entry{}, false, fmt.Errorf("look for work in the queue: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		entry, err := scan(rows)
		if err != nil {
			return Entry{}, false, err
		}
		if !inWork[entry.ID] {
			return entry, true, nil
		}
	}
	return Entry{}, false, rows.Err()
}

// end writes down what became of an entry.
func (q *Queue) end(ctx context.Context, entry Entry, state State, answer []byte) error {
	return q.commit(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE entries SET state = ?, answer = ?, ended_at = ?, attempts = attempts + 1 WHERE id = ?`,
			state, answer, time.Now().UnixMilli(), entry.ID)
		return err
	})
}

// postpone has an entry tried again later.
func (q *Queue) postpone(ctx context.Context, entry Entry, until time.Time) error {
	return q.commit(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE entries SET due_at = ?, attempts = attempts + 1 WHERE id = ?`, until.UnixMilli(), entry.ID)
		return err
	})
}

// forget removes what ended before a time: by then nobody asks again under its key.
func (q *Queue) forget(ctx context.Context, before time.Time) error {
	return q.commit(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM entries WHERE state <> 'accepted' AND ended_at < ?`, before.UnixMilli())
		return err
	})
}
