-- +goose Up
-- The revenue report reads the orders of one day after the other.
CREATE INDEX orders_by_time ON orders (created_at);

-- +goose Down
DROP INDEX orders_by_time;
