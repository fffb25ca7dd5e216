// Package ladder holds what takes the healer more than one step on the real stack: a release whose rollout is hidden from it
// (restart, relapse, roll back), and a slow network (accept, wait, undo, without flapping). `make test-all` runs it.
package ladder
