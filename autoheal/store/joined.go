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

// Join gives alerts to an incident, if it is still open: an alert that comes after its end needs a new one. It says
// whether it did.
func (s *Store) Join(ctx context.Context, id string, joining []incident.Alert, entries []incident.Entry) (bool, error) {
	var open bool
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT open FROM incidents WHERE id = ?`, id).Scan(&open)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("store: incident %s: %w", id, err)
		}
		if !open {
			return nil
		}
		if err := assign(ctx, tx, id, joining); err != nil {
			return fmt.Errorf("store: incident %s: %w", id, err)
		}
		return appendEntries(ctx, tx, id, entries)
	})
	return open && err == nil, err
}

// CountJoined returns how many alerts belong to an incident.
func (s *Store) CountJoined(ctx context.Context, id string) (int, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM alerts WHERE incident_id = ?`, id).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store: incident %s: alerts: %w", id, err)
	}
	return n, nil
}

func assign(ctx context.Context, tx *sql.Tx, id string, joining []incident.Alert) error {
	stmt, err := tx.PrepareContext(ctx, `UPDATE alerts SET incident_id = ? WHERE fingerprint = ? AND starts_at = ?`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, a := range joining {
		if _, err := stmt.ExecContext(ctx, id, a.Fingerprint, text(a.StartsAt)); err != nil {
			return err
		}
	}
	return nil
}

// Joined tells of each alert of an incident, one after the other, and returns how many more Alertmanager had left out. An incident
// may have tens of thousands, and nobody needs all of them in memory at once.
func (s *Store) Joined(ctx context.Context, id string, tell func(incident.Alert)) (truncated int, err error) {
	if err := eachAlert(ctx, s.read, tell, `FROM alerts WHERE incident_id = ? ORDER BY received_at, fingerprint`, id); err != nil {
		return 0, err
	}
	return s.truncated(ctx, id)
}

// fill adds what lives in tables of its own: the incident's evidence, its alerts, and how many more Alertmanager had left out.
func (s *Store) fill(ctx context.Context, in *incident.Incident) error {
	own := in.Alerts // of a record that is older than the table of moved alerts
	in.Alerts = []incident.Alert{}
	type key struct{ fingerprint, starts string }
	seen := map[key]bool{}
	add := func(a incident.Alert) {
		if k := (key{a.Fingerprint, text(a.StartsAt)}); !seen[k] {
			seen[k] = true
			in.Alerts = append(in.Alerts, a)
		}
	}
	for _, table := range []string{"alerts", "moved_alerts"} {
		if err := eachAlert(ctx, s.read, add, `FROM `+table+` WHERE incident_id = ? ORDER BY received_at, fingerprint`, in.ID); err != nil {
			return err
		}
	}
	for _, a := range own {
		add(a)
	}
	var err error
	if in.Evidence, err = s.evidence(ctx, in.ID); err != nil {
		return err
	}
	in.Truncated, err = s.truncated(ctx, in.ID)
	return err
}

func (s *Store) truncated(ctx context.Context, id string) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT COALESCE(SUM(truncated), 0) FROM deliveries WHERE id IN (SELECT delivery_id FROM alerts
		WHERE incident_id = ?1 UNION SELECT delivery_id FROM moved_alerts WHERE incident_id = ?1)`, id).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store: incident %s: deliveries: %w", id, err)
	}
	return n, nil
}

func alerts(ctx context.Context, db *sql.DB, from string, args ...any) ([]incident.Alert, error) {
	var found []incident.Alert
	err := eachAlert(ctx, db, func(a incident.Alert) { found = append(found, a) }, from, args...)
	return found, err
}

func eachAlert(ctx context.Context, db *sql.DB, tell func(incident.Alert), from string, args ...any) error {
	rows, err := db.QueryContext(ctx, `SELECT fingerprint, starts_at, ends_at, status, labels, annotations, received_at `+from, args...)
	if err != nil {
		return fmt.Errorf("store: alerts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		a, err := scanAlert(rows)
		if err != nil {
			return fmt.Errorf("store: alerts: %w", err)
		}
		tell(a)
	}
	return rows.Err()
}

func scanAlert(rows *sql.Rows) (incident.Alert, error) {
	var (
		a                   incident.Alert
		starts, received    string
		labels, annotations sql.RawBytes // read before the next row, so that they need not be copied
		ends                sql.NullString
	)
	if err := rows.Scan(&a.Fingerprint, &starts, &ends, &a.Status, &labels, &annotations, &received); err != nil {
		return a, err
	}
	var errs [5]error
	a.StartsAt, errs[0] = time.Parse(layout, starts)
	a.ReceivedAt, errs[1] = time.Parse(layout, received)
	a.EndsAt, errs[2] = timeOrNil(ends)
	errs[3] = json.Unmarshal(labels, &a.Labels)
	errs[4] = json.Unmarshal(annotations, &a.Annotations)
	return a, errors.Join(errs[:]...)
}
