// Package engine drives each incident through its stages: one file per stage. Every step is on disk before the next
// begins, so that a healer which dies anywhere resumes where it stood.
package engine
