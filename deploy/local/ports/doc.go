// Package ports is the one list of the ports that the local stack listens on (docs/contracts.md, "Ports"), and the
// check that they are free before anything starts.
package ports
