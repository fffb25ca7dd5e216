package hostproc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// stat is what /proc/PID/stat says (proc_pid_stat(5)).
type stat struct {
	parent, group int
	start         string // clock ticks since boot
}

// Identify returns the identity of the process that has this pid now, or ErrGone.
func Identify(pid int) (ID, error) {
	found, err := readStat(pid)
	if err != nil {
		return ID{}, err
	}
	return ID{PID: pid, Start: found.start}, nil
}

func readStat(pid int) (stat, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return stat{}, fmt.Errorf("process %d: %w", pid, ErrGone)
	}
	if err != nil {
		return stat{}, err
	}
	// The second field is the command in parentheses and may itself hold spaces and parentheses.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) < 20 {
		return stat{}, fmt.Errorf("process %d: /proc/%d/stat has %d fields", pid, pid, len(fields))
	}
	if state := fields[0]; state == "Z" || state == "X" {
		return stat{}, fmt.Errorf("process %d: %w", pid, ErrGone)
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return stat{}, err
	}
	group, err := strconv.Atoi(fields[2])
	return stat{parent: parent, group: group, start: fields[19]}, err
}

// all reads the stat of every process that can be read; processes come and go meanwhile.
func all() map[int]stat {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	processes := make(map[int]stat, len(entries))
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if found, err := readStat(pid); err == nil {
			processes[pid] = found
		}
	}
	return processes
}

// Family returns the living process pid, the members of its process group and everything that descends from these,
// whatever group they moved to. Postgres' backends each lead a group of their own, so a group alone is not enough.
func Family(pid int) []ID {
	processes := all()
	in := map[int]bool{}
	for member, found := range processes {
		if member == pid || found.group == pid {
			in[member] = true
		}
	}
	for grown := true; grown; {
		grown = false
		for member, found := range processes {
			if !in[member] && in[found.parent] {
				in[member], grown = true, true
			}
		}
	}
	family := make([]ID, 0, len(in))
	for member := range in {
		family = append(family, ID{PID: member, Start: processes[member].start})
	}
	return family
}

// WithEnv returns the living processes that were started with this setting ("NAME=value") in their environment, as far
// as this user may look.
func WithEnv(setting string) []ID {
	var found []ID
	for pid, stat := range all() {
		data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
		if err != nil {
			continue
		}
		for line := range bytes.SplitSeq(data, []byte{0}) {
			if string(line) == setting {
				found = append(found, ID{PID: pid, Start: stat.start})
				break
			}
		}
	}
	return found
}
