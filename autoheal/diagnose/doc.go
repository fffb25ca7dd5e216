// Package diagnose turns evidence into ranked causes with what speaks for and against each. It is pure: facts in, a
// diagnosis out; no clock, no network.
package diagnose
