// Package process keeps one child process running: start, readiness, restart with backoff when it crashes, stop within
// a bound.
//
// Readiness is asked until the first yes of each start. After that only the end of the process changes its state:
// whether a running service can serve is for its callers and for the healer to judge.
package process
