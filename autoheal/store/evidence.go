package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// saveEvidence adds the rounds of facts that are not on disk yet. Evidence is most of an incident and is never changed: written with
// every step, it took most of the healer's time.
func saveEvidence(ctx context.Context, tx *sql.Tx, id string, facts []incident.Fact) error {
	var last int
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(round), -1) FROM evidence WHERE incident_id = ?`, id).Scan(&last); err != nil {
		return err
	}
	for len(facts) > 0 {
		round, end := facts[0].Round, 1
		for end < len(facts) && facts[end].Round == round {
			end++
		}
		if round > last {
			raw, err := json.Marshal(facts[:end])
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO evidence (incident_id, round, facts) VALUES (?, ?, ?)`, id, round, raw); err != nil {
				return err
			}
		}
		facts = facts[end:]
	}
	return nil
}

// evidence reads the facts of every round, oldest first.
func (s *Store) evidence(ctx context.Context, id string) ([]incident.Fact, error) {
	facts := []incident.Fact{}
	rows, err := s.read.QueryContext(ctx, `SELECT facts FROM evidence WHERE incident_id = ? ORDER BY round`, id)
	if err != nil {
		return nil, fmt.Errorf("store: incident %s: evidence: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		var raw sql.RawBytes
		if err := rows.Scan(&raw); err != nil {
			return nil, fmt.Errorf("store: incident %s: evidence: %w", id, err)
		}
		var round []incident.Fact
		if err := json.Unmarshal(raw, &round); err != nil {
			return nil, fmt.Errorf("store: incident %s: evidence: %w", id, err)
		}
		facts = append(facts, round...)
	}
	return facts, rows.Err()
}
