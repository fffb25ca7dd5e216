// Package evidence gathers the facts of an incident, one collector per source, in parallel and under one deadline.
//
// What is missing, stale or failed is unknown: never zero, and never a reason to act.
package evidence
