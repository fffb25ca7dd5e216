// Package control speaks the supervisor's control API: it lists the workloads, restarts a replica, scales
// (docs/contracts.md, "The supervisor's control API").
package control
