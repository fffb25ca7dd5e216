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

// Delivery is one webhook as it came in.
type Delivery struct {
	ReceivedAt time.Time
	GroupKey   string
	// Truncated is how many alerts Alertmanager left out of this payload.
	Truncated int
	Alerts    []incident.Alert
}

// Counts is what a delivery brought that the store did not have.
type Counts struct {
	New       int // never seen before
	Updated   int // known, but resolved now (or seen firing at last)
	Duplicate int // known as it is
}

// SaveDelivery keeps a delivery. When it returns nil, the alerts are on disk. Alerts are the same when fingerprint and
// startsAt are; a resolved alert never goes back to firing.
func (s *Store) SaveDelivery(ctx context.Context, d Delivery) (Counts, error) {
	var counts Counts
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		counts = Counts{}
		res, err := tx.ExecContext(ctx, `INSERT INTO deliveries (received_at, group_key, truncated) VALUES (?, ?, ?)`,
			text(d.ReceivedAt), d.GroupKey, d.Truncated)
		if err != nil {
			return fmt.Errorf("store: delivery: %w", err)
		}
		id, err := res.LastInsertId()
		if err != nil {
			return err
		}
		w, err := newAlertWriter(ctx, tx, id)
		if err != nil {
			return err
		}
		defer w.close()
		for _, a := range d.Alerts {
			if err := w.save(ctx, a, &counts); err != nil {
				return fmt.Errorf("store: alert %s: %w", a.Fingerprint, err)
			}
		}
		return nil
	})
	return counts, err
}

// alertWriter holds the statements of one delivery: a payload may carry thousands of alerts.
type alertWriter struct {
	delivery                      int64
	find, insert, resolve, firing *sql.Stmt
	audit                         *sql.Stmt
}

func newAlertWriter(ctx context.Context, tx *sql.Tx, delivery int64) (*alertWriter, error) {
	w := &alertWriter{delivery: delivery}
	for _, p := range []struct {
		stmt  **sql.Stmt
		query string
	}{
		{&w.find, `SELECT status, fired, COALESCE(incident_id, '') FROM alerts WHERE fingerprint = ? AND starts_at = ?`},
		{&w.insert, `INSERT INTO alerts (fingerprint, starts_at, ends_at, status, fired, labels, annotations, received_at, delivery_id)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&w.resolve, `UPDATE alerts SET status = 'resolved', ends_at = ? WHERE fingerprint = ? AND starts_at = ?`},
		{&w.firing, `UPDATE alerts SET fired = 1 WHERE fingerprint = ? AND starts_at = ?`},
		{&w.audit, insertEntry},
	} {
		stmt, err := tx.PrepareContext(ctx, p.query)
		if err != nil {
			w.close()
			return nil, err
		}
		*p.stmt = stmt
	}
	return w, nil
}

func (w *alertWriter) close() {
	for _, s := range []*sql.Stmt{w.find, w.insert, w.resolve, w.firing, w.audit} {
		if s != nil {
			_ = s.Close() // the transaction owns the statement and ends it in any case
		}
	}
}

func (w *alertWriter) save(ctx context.Context, a incident.Alert, counts *Counts) error {
	var (
		status, incidentID string
		fired              bool
		starts             = text(a.StartsAt)
	)
	err := w.find.QueryRowContext(ctx, a.Fingerprint, starts).Scan(&status, &fired, &incidentID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		counts.New++
		return w.saveNew(ctx, a)
	case err != nil:
		return err
	case status == "firing" && a.Status == "resolved":
		counts.Updated++
		if _, err := w.resolve.ExecContext(ctx, textOrNull(a.EndsAt), a.Fingerprint, starts); err != nil {
			return err
		}
		return w.note(ctx, a, incidentID, "resolved (which does not mean recovered)")
	case !fired && a.Status == "firing":
		counts.Updated++
		if _, err := w.firing.ExecContext(ctx, a.Fingerprint, starts); err != nil {
			return err
		}
		return w.note(ctx, a, incidentID, "firing, after its resolved had come first")
	default:
		counts.Duplicate++
		return nil
	}
}

func (w *alertWriter) saveNew(ctx context.Context, a incident.Alert) error {
	labels, err := json.Marshal(a.Labels)
	if err != nil {
		return err
	}
	annotations, err := json.Marshal(a.Annotations)
	if err != nil {
		return err
	}
	_, err = w.insert.ExecContext(ctx, a.Fingerprint, text(a.StartsAt), textOrNull(a.EndsAt), a.Status,
		a.Status == "firing", string(labels), string(annotations), text(a.ReceivedAt), w.delivery)
	if err != nil {
		return err
	}
	return w.note(ctx, a, "", a.Status+", received for the first time")
}

func (w *alertWriter) note(ctx context.Context, a incident.Alert, incidentID, what string) error {
	_, err := w.audit.ExecContext(ctx, text(a.ReceivedAt), incidentID, "alert",
		fmt.Sprintf("alert %s (%s) %s", a.Name(), a.Fingerprint, what))
	return err
}

// Waiting returns the alerts that fired and belong to no incident yet, oldest first, at most so many.
func (s *Store) Waiting(ctx context.Context, limit int) ([]incident.Alert, error) {
	return alerts(ctx, s.read, `FROM alerts WHERE incident_id IS NULL AND fired = 1 ORDER BY received_at, fingerprint LIMIT ?`, limit)
}

// HandedOver returns the alerts that are still firing although their incident was given to a person before a time, oldest
// first, at most so many. They are looked at again: Alertmanager itself repeats them only after hours, and as the same alerts.
func (s *Store) HandedOver(ctx context.Context, before time.Time, limit int) ([]incident.Alert, error) {
	return alerts(ctx, s.read, `FROM alerts WHERE status = 'firing'
		AND incident_id IN (SELECT id FROM incidents WHERE handed_over_at < ?) ORDER BY received_at, fingerprint LIMIT ?`,
		text(before), limit)
}
