// Package hostproc is what this machine can tell about a process: which one it is beyond doubt, what descends from it,
// how much memory it has, and who listens on a port.
package hostproc
