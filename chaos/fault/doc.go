// Package fault holds the drivers that break things, one per file. What each fault looks like and what mends it is in
// docs/faults.
package fault
