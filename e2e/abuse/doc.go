// Package abuse does to a healer on the real stack what nobody should: kills it at every boundary between two stages, takes its
// senses away, floods it, runs it twice, fills its disk. Asserted each time: nothing that was acknowledged is lost, there is at
// most one effect for each step, and it ends by itself. `make test-all` runs it.
package abuse
