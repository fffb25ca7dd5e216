-- +goose Up
-- What a marketplace sold, as its nightly batch brings it: each part of a batch once.
CREATE TABLE imports (
    batch       text        NOT NULL,
    part        integer     NOT NULL,
    fingerprint bytea       NOT NULL,
    lines       integer     NOT NULL CHECK (lines > 0),
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (batch, part)
);

CREATE TABLE imported_lines (
    batch    text    NOT NULL,
    part     integer NOT NULL,
    line     integer NOT NULL,
    customer text    NOT NULL,
    sku      text    NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (batch, part, line),
    -- Whoever takes a part back takes its lines with it.
    FOREIGN KEY (batch, part) REFERENCES imports (batch, part) ON DELETE CASCADE
);

-- +goose Down
DROP TABLE imported_lines, imports;
