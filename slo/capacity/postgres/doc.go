// Package postgres asks a PostgreSQL server for its slots: how many there are, how many are reserved, and who has taken one.
package postgres
