-- +goose Up

-- How many checkouts failed at the edge while the action was carried out, beyond those that failed before: what the healer's
-- own actions cost is charged to it.
ALTER TABLE actions ADD COLUMN harmed REAL NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE actions DROP COLUMN harmed;
