// Package store keeps alerts, incidents, effects, leases and the append-only audit in one SQLite file, which does not
// live in the database that the healer heals. What it has answered nil for is on disk (WAL, synchronous=FULL).
package store
