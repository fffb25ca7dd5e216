-- +goose Up
-- Points that customers earn with their orders. The table comes one release before the code that uses it, so that this
-- code can be rolled out, and back, without the schema.
CREATE TABLE loyalty_credits (
    order_id   uuid PRIMARY KEY,
    customer   text        NOT NULL,
    points     bigint      NOT NULL CHECK (points >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX loyalty_credits_of_customer ON loyalty_credits (customer, created_at);

-- +goose Down
DROP TABLE loyalty_credits;
