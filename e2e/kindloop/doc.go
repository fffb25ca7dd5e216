// Package kindloop tests the story on a kind cluster: the same experiment, healer and record as on one machine, told by
// the demo itself, and once more without the healer. `make test-kind` runs it.
package kindloop
