package main

import (
	"os"
	"runtime/debug"
)

// softLimit is what Go's runtime tries to stay below in a flood of alerts. The program's own pages come on top of it, some 50 MB
// that are read from its file.
const softLimit = 64 << 20

// saveMemory has the garbage collected twice as often as Go would by itself. The healer is idle nearly always, and lives beside what
// it heals: when 10,000 alerts come at once, it should cost a tenth of a second rather than 30 MB. GOGC and GOMEMLIMIT win, where
// whoever runs it has set them.
func saveMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
}
