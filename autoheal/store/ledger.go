package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

func saveEffect(ctx context.Context, tx *sql.Tx, e incident.Effect) error {
	replacedBy, err := json.Marshal(append([]string{}, e.ReplacedBy...)) // [] for none, never null
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO actions
		(incident_id, key, started_at, rung, cause, remedy, workload, replica, replaced_by, finished_at, result, harmed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key, started_at) DO UPDATE SET replaced_by = excluded.replaced_by,
			finished_at = excluded.finished_at, result = excluded.result, harmed = excluded.harmed`,
		e.IncidentID, e.Key, text(e.StartedAt), e.Rung, string(e.Cause), e.Remedy, e.Workload, e.Replica, string(replacedBy),
		textOrNull(e.FinishedAt), e.Result, e.Harmed)
	return err
}

// Effects returns the actions that began or ended at or after a time, and those that have not ended, oldest first.
func (s *Store) Effects(ctx context.Context, since time.Time) ([]incident.Effect, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT incident_id, key, started_at, rung, cause, remedy, workload, replica,
		replaced_by, finished_at, result, harmed FROM actions WHERE finished_at IS NULL OR finished_at >= ?1 OR started_at >= ?1 ORDER BY started_at`, text(since))
	if err != nil {
		return nil, fmt.Errorf("store: actions: %w", err)
	}
	defer rows.Close()
	effects := []incident.Effect{}
	for rows.Next() {
		e, err := scanEffect(rows)
		if err != nil {
			return nil, fmt.Errorf("store: actions: %w", err)
		}
		effects = append(effects, e)
	}
	return effects, rows.Err()
}

func scanEffect(rows *sql.Rows) (incident.Effect, error) {
	var (
		e          incident.Effect
		started    string
		replacedBy string
		finished   sql.NullString
	)
	err := rows.Scan(&e.IncidentID, &e.Key, &started, &e.Rung, &e.Cause, &e.Remedy, &e.Workload, &e.Replica, &replacedBy,
		&finished, &e.Result, &e.Harmed)
	if err != nil {
		return e, err
	}
	var errs [3]error
	e.StartedAt, errs[0] = time.Parse(layout, started)
	e.FinishedAt, errs[1] = timeOrNil(finished)
	errs[2] = json.Unmarshal([]byte(replacedBy), &e.ReplacedBy)
	return e, errors.Join(errs[:]...)
}

// Acquire takes or renews a lease. It says false when another holder has it and it has not expired at the time now.
func (s *Store) Acquire(ctx context.Context, l incident.Lease, now time.Time) (bool, error) {
	var got bool
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO leases (target, holder, expires_at) VALUES (?, ?, ?)
			ON CONFLICT (target) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
			WHERE leases.holder = excluded.holder OR leases.expires_at <= ?`,
			l.Target, l.Holder, text(l.ExpiresAt), text(now))
		if err != nil {
			return fmt.Errorf("store: lease on %s: %w", l.Target, err)
		}
		n, err := res.RowsAffected()
		got = n > 0
		return err
	})
	return got, err
}

// Release gives a lease back; a lease that somebody else holds is left alone.
func (s *Store) Release(ctx context.Context, target, holder string) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM leases WHERE target = ? AND holder = ?`, target, holder)
		return err
	})
}

// Leases returns the leases that have not expired at the time now.
func (s *Store) Leases(ctx context.Context, now time.Time) ([]incident.Lease, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT target, holder, expires_at FROM leases WHERE expires_at > ?`, text(now))
	if err != nil {
		return nil, fmt.Errorf("store: leases: %w", err)
	}
	defer rows.Close()
	leases := []incident.Lease{}
	for rows.Next() {
		var (
			l       incident.Lease
			expires string
		)
		if err := rows.Scan(&l.Target, &l.Holder, &expires); err != nil {
			return nil, fmt.Errorf("store: leases: %w", err)
		}
		if l.ExpiresAt, err = time.Parse(layout, expires); err != nil {
			return nil, fmt.Errorf("store: leases: %w", err)
		}
		leases = append(leases, l)
	}
	return leases, rows.Err()
}
