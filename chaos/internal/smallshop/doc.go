// Package smallshop is a shop for tests, small but with the real bug: two replicas of orders whose pools lie in a real
// Postgres and lose a connection at each order with an expired coupon, with the control API, the metrics and the
// client's seconds beside them, all in the formats of docs/contracts.md.
package smallshop
