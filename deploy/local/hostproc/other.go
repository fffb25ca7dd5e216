//go:build unix && !linux

package hostproc

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// row is one line of ps.
type row struct {
	pid, parent, group int
	start              string
}

// Identify returns the identity of the process that has this pid now, or ErrGone.
func Identify(pid int) (ID, error) {
	rows, err := ps("-p", strconv.Itoa(pid))
	if err != nil {
		return ID{}, err
	}
	for _, found := range rows {
		if found.pid == pid {
			return ID{PID: pid, Start: found.start}, nil
		}
	}
	return ID{}, fmt.Errorf("process %d: %w", pid, ErrGone)
}

// Family returns the living process pid, the members of its process group and everything that descends from these,
// whatever group they moved to. Postgres' backends each lead a group of their own, so a group alone is not enough.
func Family(pid int) []ID {
	rows, err := ps("-A")
	if err != nil {
		return nil
	}
	in := map[int]bool{}
	for grown := true; grown; {
		grown = false
		for _, found := range rows {
			if !in[found.pid] && (found.pid == pid || found.group == pid || in[found.parent]) {
				in[found.pid], grown = true, true
			}
		}
	}
	var family []ID
	for _, found := range rows {
		if in[found.pid] {
			family = append(family, ID{PID: found.pid, Start: found.start})
		}
	}
	return family
}

// ps reads the living processes that the arguments select.
func ps(selection ...string) ([]row, error) {
	out, err := exec.Command("ps", append(selection, "-o", "pid=,ppid=,pgid=,state=,lstart=")...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(out) == 0 {
		return nil, nil // nothing selected
	}
	if err != nil {
		return nil, fmt.Errorf("ps: %w", err)
	}
	var rows []row
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 5 || strings.HasPrefix(fields[3], "Z") {
			continue
		}
		var found row
		if _, err := fmt.Sscan(strings.Join(fields[:3], " "), &found.pid, &found.parent, &found.group); err != nil {
			return nil, fmt.Errorf("ps: %q: %w", line, err)
		}
		found.start = strings.Join(fields[4:], " ")
		rows = append(rows, found)
	}
	return rows, nil
}

// WithEnv needs /proc: elsewhere the groups that the guard was told of have to be enough.
func WithEnv(string) []ID { return nil }

// FamilyMemory returns ErrUnsupported: only Linux tells the proportional set size.
func FamilyMemory(int) (int64, error) { return 0, ErrUnsupported }

// Memory returns ErrUnsupported.
func Memory(int) (int64, error) { return 0, ErrUnsupported }

// Listener says false: it needs /proc.
func Listener(int) (pid int, command string, ok bool) { return 0, "", false }
