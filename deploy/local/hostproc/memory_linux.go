package hostproc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// FamilyMemory returns the proportional set size of Family(pid) together, in bytes: pages that several processes share
// are split among them, so that sums are true.
func FamilyMemory(pid int) (int64, error) {
	family := Family(pid)
	if len(family) == 0 {
		return 0, fmt.Errorf("process %d: %w", pid, ErrGone)
	}
	var sum int64
	for _, member := range family {
		pss, err := Memory(member.PID)
		if errors.Is(err, ErrGone) {
			continue // ended since
		}
		if err != nil {
			return 0, err
		}
		sum += pss
	}
	return sum, nil
}

// Memory returns the proportional set size of one process, in bytes.
func Memory(pid int) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return 0, fmt.Errorf("process %d: %w", pid, ErrGone)
	}
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kib * 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/smaps_rollup has no Pss line", pid)
}
