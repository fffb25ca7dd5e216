// Package pgxpooltel gives a pgxpool the metrics and spans that OpenTelemetry's database conventions name: all of
// db.client.connection.*, a span for the wait in Acquire, and a span for each statement.
//
// It counts in the pool's tracer hooks, not from pgxpool's statistics: those count finished acquisitions and go flat
// when every connection has leaked, which is the moment one looks at them.
//
// What it counts:
//
//   - used: connections that Acquire returned and nobody has released. A leaked one stays used for ever.
//   - idle: connections ready in the pool. One under construction, or being torn down after a cancelled query, is
//     neither; so used < max and idle = 0 can both hold in a pool that has nothing to give.
//   - timeouts: Acquire ended by the deadline of its context. A caller that went away (cancellation) is none.
//   - wait_time: of the acquisitions that succeeded. Those that did not are in timeouts, with a trace as exemplar.
//   - create_failures (not in the conventions): connects that failed, by SQLSTATE, or "unreachable" when no server
//     answered.
//
// Connections taken with AcquireAllIdle pass no hook and are not seen; one taken out with Hijack stays counted as used.
package pgxpooltel
