// Package senses holds the tests that ask the running stack what can be seen of it: from a metric to a trace to its logs
// and back, every panel of every dashboard, the telemetry contract, and that blind senses cost no customer anything.
package senses
