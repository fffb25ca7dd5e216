// Package detection holds the rules that are shipped to what the formula says of them: when an alert fires, and when it
// is silent again, in the real Prometheus engine and in simulated time. Its table is docs/slo-detection.md.
package detection
