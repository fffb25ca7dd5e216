package ward

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/faultline-lab/faultline/e2e/internal/looptest"
)

// Freeze stops processes of the stack by name, with all that they have started, and returns what lets them go on. They go on
// with the test in any case.
func (w *Ward) Freeze(t *testing.T, names ...string) (thaw func()) {
	t.Helper()
	var pids []int
	for _, process := range looptest.Processes(t, w.Stack) {
		if slices.Contains(names, process.Name) {
			pids = append(pids, process.PID)
		}
	}
	if len(pids) != len(names) {
		t.Fatalf("%d of the processes %v were found", len(pids), names)
	}
	for i := 0; i < len(pids); i++ { // grows while it goes on
		pids = append(pids, children(t, pids[i])...)
	}
	thaw = func() {
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGCONT) // one that has ended meanwhile needs it no more
		}
	}
	t.Cleanup(thaw)
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
	return thaw
}

// children are the processes that a process has started and that still run.
func children(t *testing.T, parent int) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended since
		}
		text := string(data)
		var state string
		var ppid int
		// pid (name) state parent ...: the name may hold anything but ends with the last bracket.
		if _, err := fmt.Sscan(text[strings.LastIndexByte(text, ')')+1:], &state, &ppid); err != nil || ppid != parent {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			found = append(found, pid)
		}
	}
	return found
}
