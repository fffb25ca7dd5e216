// Package rulefile makes Prometheus rules of a promise and a window profile: recording rules, multi-window
// multi-burn-rate alerts, what is left of the budget, and an alert for the case that nobody measures.
package rulefile
