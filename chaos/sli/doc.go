// Package sli reads the client's own view of the journey: the per-second SLI that loadgen streams
// (docs/contracts.md, "loadgen").
package sli
