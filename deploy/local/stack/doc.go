// Package stack says what the local stack consists of: every program with its flags, its environment, what it needs and
// how one sees that it is ready. It starts nothing.
package stack
