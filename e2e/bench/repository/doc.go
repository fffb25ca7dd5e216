// Package repository measures the transaction that places an order, through the repository layer and pool of orders, against
// pgbench running the same statements on the same server.
package repository
