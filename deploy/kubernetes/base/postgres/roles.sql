-- The roles and databases of the stack, made at the server's first start (deploy/local/postgres/bootstrap.go does the same for
-- the local one). The passwords come from the environment and go nowhere else.
\set ON_ERROR_STOP on
\getenv orders_password ORDERS_PASSWORD
\getenv inventory_password INVENTORY_PASSWORD
\getenv autoheal_password AUTOHEAL_PASSWORD

CREATE ROLE orders LOGIN PASSWORD :'orders_password';
CREATE ROLE inventory LOGIN PASSWORD :'inventory_password';
CREATE ROLE autoheal LOGIN PASSWORD :'autoheal_password';

CREATE DATABASE orders OWNER orders;
CREATE DATABASE inventory OWNER inventory;

-- The healer sees every session, ends those of others than superusers, and gets in by a reserved slot when the server is full.
GRANT pg_monitor, pg_signal_backend, pg_use_reserved_connections TO autoheal;
