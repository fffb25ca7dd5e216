-- +goose Up

-- What a person answered to the healer's question; the engine takes it into the incident. One answer for each question.
CREATE TABLE answers (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    asked_at    TEXT NOT NULL,
    answer      TEXT NOT NULL CHECK (answer IN ('approved', 'denied')),
    by          TEXT NOT NULL,
    comment     TEXT NOT NULL,
    at          TEXT NOT NULL,
    PRIMARY KEY (incident_id, asked_at)
) STRICT;

-- One row while the healer is told to act on nothing.
CREATE TABLE pause (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    by     TEXT NOT NULL,
    reason TEXT NOT NULL,
    at     TEXT NOT NULL
) STRICT;

-- What people are to be told: written with what it tells of, sent afterwards.
CREATE TABLE notices (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    at       TEXT    NOT NULL,
    notice   TEXT    NOT NULL
) STRICT;

-- Who has been told: one row for each notice and each receiver that is through with it.
CREATE TABLE told (
    seq      INTEGER NOT NULL REFERENCES notices (seq),
    receiver TEXT    NOT NULL,
    at       TEXT    NOT NULL,
    result   TEXT    NOT NULL CHECK (result IN ('sent', 'given-up')),
    PRIMARY KEY (seq, receiver)
) STRICT;

-- +goose Down
DROP TABLE told;
DROP TABLE notices;
DROP TABLE pause;
DROP TABLE answers;
