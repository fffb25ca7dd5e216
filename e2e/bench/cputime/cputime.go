// Package cputime reads from /proc how much processor time processes have used (proc_pid_stat(5)).
package cputime

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc: USER_HZ, which is 100 on every Linux that Go runs on, whatever the kernel's own clock.
const tick = 10 * time.Millisecond

// Table is what every process had used at one moment.
type Table map[int]Process

// Process is one row.
type Process struct {
	Parent int
	// Start is when it was started, in ticks since boot: with the pid it names one process for ever.
	Start string
	// Own is user and system time of all of its threads, Ended that of its children that have ended and were waited for.
	Own, Ended time.Duration
}

// Read reads the table of this machine.
func Read() (Table, error) { return ReadFrom(os.DirFS("/proc")) }

// ReadFrom reads a table; processes come and go meanwhile, and one that went is not in it.
func ReadFrom(proc fs.FS) (Table, error) {
	entries, err := fs.ReadDir(proc, ".")
	if err != nil {
		return nil, fmt.Errorf("%w: processor time is read from /proc, which only Linux has", err)
	}
	table := Table{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		data, err := fs.ReadFile(proc, entry.Name()+"/stat")
		if err != nil {
			continue
		}
		if table[pid], err = parse(data); err != nil {
			return nil, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
	}
	return table, nil
}

// Positions of the fields behind the command's name; the manual's numbers less 3.
const (
	fieldParent = 1
	fieldUser   = 11 // then system, children's user, children's system
	fieldStart  = 19
)

func parse(data []byte) (Process, error) {
	// The command stands in parentheses and may itself hold spaces and parentheses.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) <= fieldStart {
		return Process{}, fmt.Errorf("%d fields behind the name, want more than %d", len(fields), fieldStart)
	}
	numbers := make([]int64, 5)
	for i, field := range append([]string{fields[fieldParent]}, fields[fieldUser:fieldUser+4]...) {
		number, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return Process{}, err
		}
		numbers[i] = number
	}
	return Process{
		Parent: int(numbers[0]), Start: fields[fieldStart],
		Own: time.Duration(numbers[1]+numbers[2]) * tick, Ended: time.Duration(numbers[3]+numbers[4]) * tick,
	}, nil
}

// Family is what a process, everything that descends from it and whatever of that has ended have used together. It is
// false when there is no such process.
func (t Table) Family(pid int) (time.Duration, bool) {
	root, found := t[pid]
	if !found {
		return 0, false
	}
	children := map[int][]int{}
	for child, row := range t {
		children[row.Parent] = append(children[row.Parent], child)
	}
	sum := root.Own + root.Ended
	for queue := children[pid]; len(queue) > 0; queue = queue[1:] {
		sum += t[queue[0]].Own + t[queue[0]].Ended
		queue = append(queue, children[queue[0]]...)
	}
	return sum, true
}

// Between is what the family of pid has used from one table to the next; an error when it ended or was replaced between.
func Between(before, after Table, pid int) (time.Duration, error) {
	earlier, wasThere := before.Family(pid)
	later, isThere := after.Family(pid)
	if !wasThere || !isThere || before[pid].Start != after[pid].Start {
		return 0, fmt.Errorf("process %d ended while it was measured", pid)
	}
	return later - earlier, nil
}
