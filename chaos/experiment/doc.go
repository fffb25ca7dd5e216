// Package experiment is the form of an experiment: one YAML file that says what should hold, what is broken, for how
// long, when to give up, and what the healer should make of it. The same file serves every target.
package experiment
