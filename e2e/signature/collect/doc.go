// Package collect records signatures: it runs an experiment on a running stack without a healer, and asks Prometheus, Postgres,
// the list of workloads, Loki and Jaeger before the injection and while the fault is in force.
//
// What is missing is recorded as unknown, with the reason: never as zero.
package collect
