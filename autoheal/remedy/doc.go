// Package remedy holds what the healer can do to the world, one remedy per file. Each is safe to repeat: its effect has a
// precondition, so that a crash and a retry give at most one effect. docs/remedies has a page for each.
package remedy
