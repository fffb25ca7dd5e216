// Package trial runs one trial on a running stack: it prepares the arm, checks the steady state, injects the
// experiment's fault, watches client, alerts and healer until the story is over, puts the system back, and returns the
// record. Recovery is the client's verdict alone.
package trial
