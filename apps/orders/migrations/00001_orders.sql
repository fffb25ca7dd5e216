-- +goose Up
CREATE TABLE orders (
    id               uuid PRIMARY KEY,
    customer         text        NOT NULL,
    items            jsonb       NOT NULL,
    coupon           text        NOT NULL DEFAULT '',
    -- 'pending' lives only inside the transaction that places the order.
    status           text        NOT NULL CHECK (status IN ('pending', 'confirmed')),
    total_cents      bigint      NOT NULL DEFAULT 0 CHECK (total_cents >= 0),
    reservation_id   uuid,
    authorization_id text,
    created_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE idempotency_keys (
    key         text PRIMARY KEY,
    fingerprint bytea       NOT NULL,
    order_id    uuid        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE coupons (
    code        text PRIMARY KEY,
    percent_off integer     NOT NULL CHECK (percent_off BETWEEN 1 AND 90),
    expires_at  timestamptz NOT NULL
);

-- What inventory must still be told: each row is one reservation to commit.
CREATE TABLE outbox (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reservation_id uuid        NOT NULL,
    -- W3C traceparent of the order, so that the delivery is part of its trace.
    traceparent    text        NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL DEFAULT now(),
    claimed_until  timestamptz NOT NULL DEFAULT '-infinity',
    attempts       integer     NOT NULL DEFAULT 0,
    -- Set when inventory refused for good; such a row waits for a person.
    failed_at      timestamptz,
    last_error     text
);
CREATE INDEX outbox_open ON outbox (id) WHERE failed_at IS NULL;

INSERT INTO coupons (code, percent_off, expires_at) VALUES
    ('SPRING24', 20, '2024-06-01T00:00:00Z'),
    ('WELCOME10', 10, '2099-01-01T00:00:00Z');

-- +goose Down
DROP TABLE outbox, coupons, idempotency_keys, orders;
