// Package guard is the small process beside the supervisor that ends everything when the supervisor is no longer there
// to do so: it reads from a pipe what was started, and when the pipe closes it ends what is left and removes what must
// not stay.
package guard
