// Package engine makes a Docker engine usable that can run kind's nodes, as root on a Debian-like machine, and says how to
// undo what it did.
package engine
