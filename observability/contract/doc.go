// Package contract holds what Faultline's programs emit (telemetry.yaml: each metric, span and log field) against what
// a running stack was seen to emit, and against the queries that dashboards and alerts ask.
//
// The contract is written by hand and read by people; docs/telemetry.md is made of it. Nothing here contacts anybody:
// the caller reads the pages, the traces and the logs, and Check takes values and returns values.
package contract
