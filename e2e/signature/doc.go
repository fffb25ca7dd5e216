// Package signature tells faults apart: recordings of what the three pillars and Postgres said during real runs of every
// experiment, named pieces of evidence that are computed from them, and the matrix of which piece separates which faults.
//
// It is pure: recordings go in, verdicts come out. Package collect makes the recordings; nothing here or there knows the
// healer, but facts that both know have the same names.
package signature
