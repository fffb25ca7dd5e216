-- +goose Up
CREATE TABLE products (
    sku         text COLLATE "C" PRIMARY KEY,
    name        text   NOT NULL,
    price_cents bigint NOT NULL CHECK (price_cents > 0),
    stock       bigint NOT NULL CHECK (stock >= 0)
) WITH (fillfactor = 50); -- room in each page, so that a stock update needs no index entry

CREATE TABLE reservations (
    id          text PRIMARY KEY,
    status      text        NOT NULL CHECK (status IN ('reserved', 'committed', 'released', 'expired')),
    total_cents bigint      NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    ended_at    timestamptz
);
CREATE INDEX reservations_open ON reservations (expires_at) WHERE status = 'reserved';

CREATE TABLE reservation_items (
    reservation_id text NOT NULL REFERENCES reservations (id),
    sku            text COLLATE "C" NOT NULL REFERENCES products (sku),
    quantity       bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (reservation_id, sku)
);

-- 50 products, 5.00 to 54.00, with stock for a day: 40 orders a second are 3.5 million.
INSERT INTO products (sku, name, price_cents, stock)
SELECT 'SKU-' || lpad(n::text, 4, '0'), 'Product ' || n, 400 + n * 100, 100000000
FROM generate_series(1, 50) AS n;

-- +goose Down
DROP TABLE reservation_items, reservations, products;
