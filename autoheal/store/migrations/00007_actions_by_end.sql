-- +goose Up

-- The guards look back to what ended lately, or has not ended: an action may end long after it was intended.
CREATE INDEX actions_by_end ON actions (finished_at);

-- +goose Down
DROP INDEX actions_by_end;
