// Package bench measures the healer's intake, in a process of its own and on a real disk: how long many alerts at once take and
// how much memory, and how many a second it takes for long while incidents are open. `make bench-intake` runs it.
package bench
