// Package closedloop holds the tests that need the whole real stack: the loop from injection to recovery, the three
// pillars meeting on one failed request, and a supervisor that is killed.
package closedloop
