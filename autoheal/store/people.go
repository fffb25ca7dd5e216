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

// Answer is what a person answered to the question that the healer asked at a time.
type Answer struct {
	IncidentID string
	AskedAt    time.Time
	Answer     string // incident.Approved or incident.Denied
	By         string
	Comment    string
	At         time.Time
}

// ErrAnswered says that the question has an answer already, or that there is no open question.
var ErrAnswered = errors.New("there is no open question")

// SaveAnswer keeps an answer. It returns ErrNotFound where there is no such incident, and ErrAnswered where it does not wait for
// an answer, has asked anew since, or has one already.
func (s *Store) SaveAnswer(ctx context.Context, a Answer) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		var raw string
		err := tx.QueryRowContext(ctx, `SELECT record FROM incidents WHERE id = ?`, a.IncidentID).Scan(&raw)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("incident %q: %w", a.IncidentID, ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("store: answer: %w", err)
		}
		var in incident.Incident
		if err := json.Unmarshal([]byte(raw), &in); err != nil {
			return fmt.Errorf("store: answer: %w", err)
		}
		if in.State != incident.Awaiting || in.Approval == nil || !in.Approval.AskedAt.Equal(a.AskedAt) || !a.At.Before(in.Approval.Expires) {
			return fmt.Errorf("incident %s: %w", a.IncidentID, ErrAnswered)
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO answers (incident_id, asked_at, answer, by, comment, at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, a.IncidentID, text(a.AskedAt), a.Answer, a.By, a.Comment, text(a.At))
		if err != nil {
			return fmt.Errorf("store: answer: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("incident %s: %w", a.IncidentID, ErrAnswered))
		}
		return appendEntries(ctx, tx, a.IncidentID, []incident.Entry{{
			At: a.At, Kind: "approval", Text: fmt.Sprintf("%s by %s: %s", a.Answer, a.By, a.Comment),
		}})
	})
}

// Answer reads the answer to the question of a time; false where there is none yet.
func (s *Store) Answer(ctx context.Context, id string, askedAt time.Time) (Answer, bool, error) {
	a := Answer{IncidentID: id, AskedAt: askedAt}
	var at string
	err := s.read.QueryRowContext(ctx, `SELECT answer, by, comment, at FROM answers WHERE incident_id = ? AND asked_at = ?`,
		id, text(askedAt)).Scan(&a.Answer, &a.By, &a.Comment, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("store: answer: %w", err)
	}
	a.At, err = time.Parse(layout, at)
	return a, err == nil, err
}

// Pause is that the healer was told to act on nothing.
type Pause struct {
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// SetPause has the healer act on nothing, until somebody takes the pause back; nil takes it back.
func (s *Store) SetPause(ctx context.Context, p *Pause, by string, at time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		said := "resumed by " + by
		statement, args := `DELETE FROM pause`, []any(nil)
		if p != nil {
			said = fmt.Sprintf("paused by %s: %s", p.By, p.Reason)
			statement = `INSERT INTO pause (one, by, reason, at) VALUES (1, ?, ?, ?)
				ON CONFLICT (one) DO UPDATE SET by = excluded.by, reason = excluded.reason, at = excluded.at`
			args = []any{p.By, p.Reason, text(p.At)}
		}
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return fmt.Errorf("store: pause: %w", err)
		}
		return appendEntries(ctx, tx, "", []incident.Entry{{At: at, Kind: "note", Text: said}})
	})
}

// Paused reads the pause; nil where there is none.
func (s *Store) Paused(ctx context.Context) (*Pause, error) {
	var p Pause
	var at string
	err := s.read.QueryRowContext(ctx, `SELECT by, reason, at FROM pause`).Scan(&p.By, &p.Reason, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store: pause: %w", err)
	}
	if p.At, err = time.Parse(layout, at); err != nil {
		return nil, fmt.Errorf("store: pause: %w", err)
	}
	return &p, nil
}
