// Package pgscript listens to what a program says to Postgres and writes it down as a script for pgbench, so that the two
// cannot say different things.
package pgscript
