// Package closedloop holds the tests that need the whole real stack: the loop from injection to recovery, and a supervisor
// that is killed.
package closedloop
