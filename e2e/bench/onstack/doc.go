// Package onstack measures the whole stack under its own load generator: what telemetry costs, and how far the path through
// four services carries.
package onstack
