// Package lint finds promises that load and generate, and will still not do what their author wants: an alert that can never
// fire, one that a single event trips, a metric that nobody emits. Each lint is a file, with a page in docs/lints and a file
// in testdata that trips it.
package lint
