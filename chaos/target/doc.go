// Package target gives the control over a running stack that fits where it runs: the local supervisor's API, or
// Kubernetes.
package target
