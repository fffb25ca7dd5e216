// Package study repeats trials and sums them up: the shuffled plan, the table of one study, and the objectives it is
// held against.
package study
