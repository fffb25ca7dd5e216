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

// Change is everything that one step of an incident writes, in one transaction: all of it is on disk, or nothing.
type Change struct {
	Incident incident.Incident
	Progress incident.Progress
	// Joined are alerts that belong to the incident from now on.
	Joined []incident.Alert
	// Effects are new or finished actions.
	Effects []incident.Effect
	// Entries are added to the audit; Seq and IncidentID are filled in here.
	Entries []incident.Entry
	// Notices are what people are to be told.
	Notices []incident.Notice
}

// ErrMoreAlerts says that an incident cannot end: an alert joined it that the engine has not looked at yet.
var ErrMoreAlerts = errors.New("an alert has joined the incident that nobody has looked at")

// ErrStale says that the incident has been written since the writer read it: by another healer, or by himself where the answer got
// lost. He must read it again.
var ErrStale = errors.New("the incident has been written by somebody else since it was read")

// Save writes a change. It writes nothing and returns ErrMoreAlerts when the change would end an incident that has more alerts
// than Progress.SeenAlerts, and ErrStale when the record is no longer of Progress.Revision (0 does not ask). What it wrote is of
// the revision after that.
func (s *Store) Save(ctx context.Context, c Change) error {
	// Alerts are kept in their own tables, where a later webhook can still resolve them: one that goes on firing may even belong to
	// a later incident one day. Evidence has a table that only grows.
	in := c.Incident
	in.Alerts, in.Evidence = nil, nil
	record, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("store: incident %s: %w", in.ID, err)
	}
	next := c.Progress
	next.Revision++
	progress, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("store: incident %s: %w", in.ID, err)
	}
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if err := refuseStale(ctx, tx, in.ID, c.Progress.Revision); err != nil {
			return fmt.Errorf("store: incident %s: %w", in.ID, err)
		}
		if err := saveRecord(ctx, tx, c.Incident, string(record), string(progress)); err != nil {
			return fmt.Errorf("store: incident %s: %w", in.ID, err)
		}
		if err := saveEvidence(ctx, tx, in.ID, c.Incident.Evidence); err != nil {
			return fmt.Errorf("store: incident %s: evidence: %w", in.ID, err)
		}
		if err := assign(ctx, tx, in.ID, c.Joined); err != nil {
			return fmt.Errorf("store: incident %s: alerts: %w", in.ID, err)
		}
		if err := refuseUnseen(ctx, tx, c); err != nil {
			return err
		}
		for _, e := range c.Effects {
			if err := saveEffect(ctx, tx, e); err != nil {
				return fmt.Errorf("store: action %s: %w", e.Key, err)
			}
		}
		if err := appendNotices(ctx, tx, c.Notices); err != nil {
			return err
		}
		return appendEntries(ctx, tx, in.ID, c.Entries)
	})
}

func saveRecord(ctx context.Context, tx *sql.Tx, in incident.Incident, record, progress string) error {
	opened := time.Time{}
	if in.Stages.WebhookReceived != nil {
		opened = *in.Stages.WebhookReceived
	}
	var handedOver *time.Time
	if in.State == incident.Escalated {
		handedOver = in.Stages.Ended
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO incidents (id, opened_at, open, record, progress, handed_over_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET open = excluded.open, record = excluded.record, progress = excluded.progress,
			handed_over_at = excluded.handed_over_at`,
		in.ID, text(opened), in.State.Open(), record, progress, textOrNull(handedOver))
	return err
}

func refuseStale(ctx context.Context, tx *sql.Tx, id string, revision int) error {
	if revision == 0 {
		return nil
	}
	var stored int
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(json_extract(progress, '$.revision'), 0) FROM incidents WHERE id = ?`, id).Scan(&stored)
	if err != nil {
		return err
	}
	if stored != revision {
		return ErrStale
	}
	return nil
}

func refuseUnseen(ctx context.Context, tx *sql.Tx, c Change) error {
	if c.Incident.State.Open() {
		return nil
	}
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM alerts WHERE incident_id = ?`, c.Incident.ID).Scan(&n)
	if err != nil {
		return fmt.Errorf("store: incident %s: alerts: %w", c.Incident.ID, err)
	}
	if n > c.Progress.SeenAlerts {
		return fmt.Errorf("incident %s: %w", c.Incident.ID, ErrMoreAlerts)
	}
	return nil
}

// Open returns the incidents that still need the healer, oldest first, with who they are and where they stand alone: it is asked
// for at every tick, and evidence is long.
func (s *Store) Open(ctx context.Context) ([]incident.Incident, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT record FROM incidents WHERE open = 1 ORDER BY opened_at, id`)
	if err != nil {
		return nil, fmt.Errorf("store: incidents: %w", err)
	}
	defer rows.Close()
	open := []incident.Incident{}
	for rows.Next() {
		var raw sql.RawBytes
		var brief struct {
			ID        string          `json:"id"`
			Workload  string          `json:"workload"`
			Workloads []string        `json:"workloads"`
			State     incident.State  `json:"state"`
			Reason    string          `json:"reason"`
			Stages    incident.Stages `json:"stages"`
		}
		if err := rows.Scan(&raw); err != nil {
			return nil, fmt.Errorf("store: incidents: %w", err)
		}
		if err := json.Unmarshal(raw, &brief); err != nil {
			return nil, fmt.Errorf("store: incidents: %w", err)
		}
		open = append(open, incident.Incident{
			ID: brief.ID, Workload: brief.Workload, Workloads: brief.Workloads, State: brief.State, Reason: brief.Reason, Stages: brief.Stages,
		})
	}
	return open, rows.Err()
}

// Troubled counts the incidents beside one that are open, or were handed over to a person at or after a time.
func (s *Store) Troubled(ctx context.Context, except string, since time.Time) (int, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM incidents WHERE id <> ? AND (open = 1 OR handed_over_at >= ?)`,
		except, text(since)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("store: incidents: %w", err)
	}
	return n, nil
}

// List returns all incidents since a time, newest first.
func (s *Store) List(ctx context.Context, since time.Time) ([]incident.Incident, error) {
	return s.list(ctx, `WHERE opened_at >= ? ORDER BY opened_at DESC, id`, text(since))
}

// Get returns one incident. It returns ErrNotFound when there is none of this id.
func (s *Store) Get(ctx context.Context, id string) (incident.Incident, error) {
	found, err := s.list(ctx, `WHERE id = ?`, id)
	if err != nil {
		return incident.Incident{}, err
	}
	if len(found) == 0 {
		return incident.Incident{}, fmt.Errorf("incident %q: %w", id, ErrNotFound)
	}
	return found[0], nil
}

// Load returns one incident with what the engine needs to resume it, but without its alerts, which may be thousands: see Joined.
func (s *Store) Load(ctx context.Context, id string) (incident.Incident, incident.Progress, error) {
	var (
		in          incident.Incident
		progress    incident.Progress
		record, raw string
	)
	err := s.read.QueryRowContext(ctx, `SELECT record, progress FROM incidents WHERE id = ?`, id).Scan(&record, &raw)
	if errors.Is(err, sql.ErrNoRows) {
		return in, progress, fmt.Errorf("incident %q: %w", id, ErrNotFound)
	}
	if err != nil {
		return in, progress, fmt.Errorf("store: incident %s: %w", id, err)
	}
	if err := json.Unmarshal([]byte(record), &in); err != nil {
		return in, progress, fmt.Errorf("store: incident %s: %w", id, err)
	}
	if err := json.Unmarshal([]byte(raw), &progress); err != nil {
		return in, progress, fmt.Errorf("store: incident %s: progress: %w", id, err)
	}
	in.Evidence, err = s.evidence(ctx, id)
	return in, progress, err
}

func (s *Store) list(ctx context.Context, where string, args ...any) ([]incident.Incident, error) {
	records, err := s.records(ctx, where, args...)
	if err != nil {
		return nil, fmt.Errorf("store: incidents: %w", err)
	}
	for i := range records {
		if err := s.fill(ctx, &records[i]); err != nil {
			return nil, err
		}
	}
	return records, nil
}

func (s *Store) records(ctx context.Context, where string, args ...any) ([]incident.Incident, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT record FROM incidents `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	records := []incident.Incident{}
	for rows.Next() {
		var raw string
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		var in incident.Incident
		if err := json.Unmarshal([]byte(raw), &in); err != nil {
			return nil, err
		}
		records = append(records, in)
	}
	return records, rows.Err()
}
