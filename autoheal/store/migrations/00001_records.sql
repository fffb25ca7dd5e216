-- +goose Up

-- One row per webhook delivery that was acknowledged.
CREATE TABLE deliveries (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT    NOT NULL,
    group_key   TEXT    NOT NULL,
    truncated   INTEGER NOT NULL
) STRICT;

-- fingerprint and starts_at identify an alert; fired says that it was ever seen firing, since "resolved" may come first.
CREATE TABLE alerts (
    fingerprint TEXT    NOT NULL,
    starts_at   TEXT    NOT NULL,
    ends_at     TEXT,
    status      TEXT    NOT NULL CHECK (status IN ('firing', 'resolved')),
    fired       INTEGER NOT NULL,
    labels      TEXT    NOT NULL,
    annotations TEXT    NOT NULL,
    received_at TEXT    NOT NULL,
    delivery_id INTEGER NOT NULL REFERENCES deliveries (id),
    incident_id TEXT    REFERENCES incidents (id),
    PRIMARY KEY (fingerprint, starts_at)
) STRICT;

CREATE INDEX alerts_by_incident ON alerts (incident_id);
CREATE INDEX alerts_waiting ON alerts (received_at) WHERE incident_id IS NULL AND fired = 1;

CREATE TABLE incidents (
    id        TEXT    PRIMARY KEY,
    opened_at TEXT    NOT NULL,
    open      INTEGER NOT NULL,
    record    TEXT    NOT NULL,
    progress  TEXT    NOT NULL
) STRICT;

CREATE INDEX incidents_open ON incidents (opened_at) WHERE open = 1;
CREATE INDEX incidents_by_time ON incidents (opened_at);

-- What the guards look back on: every effect, whatever incident it belonged to.
CREATE TABLE actions (
    incident_id TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    started_at  TEXT    NOT NULL,
    rung        INTEGER NOT NULL,
    cause       TEXT    NOT NULL,
    remedy      TEXT    NOT NULL,
    workload    TEXT    NOT NULL,
    replica     TEXT    NOT NULL,
    finished_at TEXT,
    result      TEXT    NOT NULL,
    PRIMARY KEY (key, started_at)
) STRICT;

CREATE INDEX actions_by_time ON actions (started_at);

CREATE TABLE leases (
    target     TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;

CREATE TABLE audit (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    at          TEXT NOT NULL,
    incident_id TEXT NOT NULL,
    kind        TEXT NOT NULL,
    text        TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_incident ON audit (incident_id, seq);

-- +goose StatementBegin
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit;
DROP TABLE leases;
DROP TABLE actions;
DROP TABLE alerts;
DROP TABLE incidents;
DROP TABLE deliveries;
