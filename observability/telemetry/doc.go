// Package telemetry gives a program its traces, logs and metrics: OTLP to Jaeger and Loki, a scrape page for
// Prometheus, and one trace id that leads from any of the three to the others.
//
// It sets no globals: whoever wants to be seen takes a provider, a logger or a wrapper from the Telemetry that main
// started. A dead or slow backend costs a program nothing but the records themselves: queues are bounded, exports
// happen behind the caller's back, and their errors are counted and mentioned once a minute.
package telemetry
