// Package control is the supervisor's HTTP API (docs/contracts.md, "The supervisor's control API"): reads are open on
// loopback, changes need the control token.
package control
