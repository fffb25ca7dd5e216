// Package runner takes one experiment through its life: steady state, injection, observation, and the way back. The
// chaos command runs it from end to end; the study calls its steps one by one.
package runner
