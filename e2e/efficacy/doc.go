// Package efficacy is the gate that every experiment must pass: without a healer it moves the client's SLI out of its bounds and
// fires its alert; a control must not. Faults that nobody holds to their effect rot silently.
//
// What is judged here is pure; the gate itself is a test on the real stack, which `make test-all` runs.
package efficacy
