-- +goose Up
-- Orders that were accepted, each once for its key. Times are milliseconds since 1970.
CREATE TABLE entries (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    key         TEXT    NOT NULL UNIQUE,
    body        BLOB    NOT NULL,
    -- W3C traceparent of the checkout, so that what becomes of it is part of its trace.
    traceparent TEXT    NOT NULL DEFAULT '',
    accepted_at INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    state       TEXT    NOT NULL CHECK (state IN ('accepted', 'completed', 'refused')),
    ended_at    INTEGER,
    -- What orders answered: the order, or why it was refused.
    answer      BLOB
) STRICT;
CREATE INDEX entries_waiting ON entries (due_at, id, accepted_at) WHERE state = 'accepted';
CREATE INDEX entries_ended ON entries (ended_at) WHERE state <> 'accepted';

-- +goose Down
DROP TABLE entries;
