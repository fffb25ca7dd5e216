-- +goose Up

-- The facts of each gathering of an incident. They are most of what is known of it, and are never changed; they do not have to be
-- written again at each of its steps.
CREATE TABLE evidence (
    incident_id TEXT    NOT NULL REFERENCES incidents (id),
    round       INTEGER NOT NULL,
    facts       BLOB    NOT NULL,
    PRIMARY KEY (incident_id, round)
) STRICT, WITHOUT ROWID;

INSERT INTO evidence (incident_id, round, facts)
    SELECT i.id, json_extract(f.value, '$.round'), CAST(json_group_array(json(f.value) ORDER BY f.key) AS BLOB)
    FROM incidents AS i, json_each(i.record, '$.evidence') AS f
    WHERE f.type = 'object'
    GROUP BY i.id, json_extract(f.value, '$.round');
UPDATE incidents SET record = json_remove(record, '$.evidence');

-- +goose StatementBegin
CREATE TRIGGER evidence_is_never_changed BEFORE UPDATE ON evidence
BEGIN
    SELECT RAISE(ABORT, 'evidence is append-only');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER evidence_is_never_deleted BEFORE DELETE ON evidence
BEGIN
    SELECT RAISE(ABORT, 'evidence is append-only');
END;
-- +goose StatementEnd

-- +goose Down
UPDATE incidents SET record = json_set(record, '$.evidence', COALESCE(
    (SELECT json_group_array(json(f.value) ORDER BY e.round, f.key) FROM evidence AS e, json_each(CAST(e.facts AS TEXT)) AS f
     WHERE e.incident_id = incidents.id), json('[]')));
DROP TABLE evidence;
