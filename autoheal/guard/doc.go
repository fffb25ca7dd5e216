// Package guard holds the safety rules that an action must pass, one per file. Each is pure: a request in, a verdict out.
// A guard that cannot tell says no. docs/guards has a page for each.
package guard
