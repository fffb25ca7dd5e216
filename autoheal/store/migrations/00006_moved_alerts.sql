-- +goose Up

-- What an incident had of an alert that belongs to a later one now, as it was when it moved: an alert that goes on firing after its
-- incident was handed over is taken up again. The record itself holds no alerts: with thousands of them it would be in memory
-- several times when the incident ends.
CREATE TABLE moved_alerts (
    incident_id TEXT    NOT NULL REFERENCES incidents (id),
    fingerprint TEXT    NOT NULL,
    starts_at   TEXT    NOT NULL,
    ends_at     TEXT,
    status      TEXT    NOT NULL,
    labels      TEXT    NOT NULL,
    annotations TEXT    NOT NULL,
    received_at TEXT    NOT NULL,
    delivery_id INTEGER NOT NULL REFERENCES deliveries (id),
    PRIMARY KEY (incident_id, fingerprint, starts_at)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER an_alert_moves AFTER UPDATE OF incident_id ON alerts
WHEN OLD.incident_id IS NOT NULL AND OLD.incident_id IS NOT NEW.incident_id
BEGIN
    INSERT INTO moved_alerts (incident_id, fingerprint, starts_at, ends_at, status, labels, annotations, received_at, delivery_id)
    VALUES (OLD.incident_id, OLD.fingerprint, OLD.starts_at, OLD.ends_at, OLD.status, OLD.labels, OLD.annotations, OLD.received_at,
        OLD.delivery_id)
    ON CONFLICT DO NOTHING;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER an_alert_moves;
DROP TABLE moved_alerts;
