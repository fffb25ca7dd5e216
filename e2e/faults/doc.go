// Package faults tests every experiment on the real local stack. That takes minutes for each of them: `make test-all` runs it.
package faults
