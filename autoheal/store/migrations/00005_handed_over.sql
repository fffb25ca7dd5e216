-- +goose Up

-- When an incident was given to a person; NULL where it was not. It is asked for at every tick, and to read it out of each record took
-- most of the healer's time.
ALTER TABLE incidents ADD COLUMN handed_over_at TEXT;
UPDATE incidents SET handed_over_at = strftime('%Y-%m-%dT%H:%M:%f', json_extract(record, '$.stages.ended')) || '000000Z'
    WHERE json_extract(record, '$.state') = 'escalated';
CREATE INDEX incidents_handed_over ON incidents (handed_over_at) WHERE handed_over_at IS NOT NULL;
CREATE INDEX alerts_firing ON alerts (incident_id) WHERE status = 'firing';

-- +goose Down
DROP INDEX alerts_firing;
DROP INDEX incidents_handed_over;
ALTER TABLE incidents DROP COLUMN handed_over_at;
