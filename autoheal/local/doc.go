// Package local speaks the control API of the supervisor that runs the workloads on one machine
// (docs/contracts.md, "The supervisor's control API").
package local
