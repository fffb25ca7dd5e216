-- +goose Up
-- Payments that are taken after the order was placed (mode defer-payment of storefront). The order is 'payment_pending' until
-- then; 'confirmed' afterwards, or 'cancelled' when the payment was declined.
ALTER TABLE orders DROP CONSTRAINT orders_status_check;
ALTER TABLE orders ADD CONSTRAINT orders_status_check
    CHECK (status IN ('pending', 'payment_pending', 'confirmed', 'cancelled'));

CREATE TABLE deferred_payments (
    order_id        uuid PRIMARY KEY REFERENCES orders (id),
    -- Under which payments is asked, at every attempt: it takes the money once.
    idempotency_key text        NOT NULL,
    traceparent     text        NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    claimed_until   timestamptz NOT NULL DEFAULT '-infinity',
    attempts        integer     NOT NULL DEFAULT 0
);
CREATE INDEX deferred_payments_by_time ON deferred_payments (created_at);

-- What inventory is to do with the reservation: a cancelled order's stock is given back.
ALTER TABLE outbox ADD COLUMN action text NOT NULL DEFAULT 'commit' CHECK (action IN ('commit', 'release'));

-- +goose Down
ALTER TABLE outbox DROP COLUMN action;
DROP TABLE deferred_payments;
ALTER TABLE orders DROP CONSTRAINT orders_status_check;
ALTER TABLE orders ADD CONSTRAINT orders_status_check CHECK (status IN ('pending', 'confirmed'));
