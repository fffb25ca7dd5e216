-- +goose Up

-- The replicas that took the place of the one that was acted on, as a JSON list: a restarted pod comes back under another
-- name, and its cooldown must not end with its name.
ALTER TABLE actions ADD COLUMN replaced_by TEXT NOT NULL DEFAULT '[]';
