// Package pgadmin looks into the database server through one connection that is opened early and kept, on a reserved
// slot, so that it still answers when max_connections is full.
package pgadmin
