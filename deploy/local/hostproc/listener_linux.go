package hostproc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const stateListen = "0A" // the hexadecimal TCP_LISTEN of /proc/net/tcp (proc_pid_net(5))

// Listener returns the process that listens on this TCP port, and its command line. It says false where that cannot be
// found out: another user's process, another operating system.
func Listener(port int) (pid int, command string, ok bool) {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for _, inode := range listening(string(data), port) {
			inodes["socket:["+inode+"]"] = true
		}
	}
	if len(inodes) == 0 {
		return 0, "", false
	}
	for pid := range all() {
		if holds(pid, inodes) {
			return pid, commandLine(pid), true
		}
	}
	return 0, "", false
}

// listening returns the inodes of the listening sockets on the port in a table of the form of /proc/net/tcp.
func listening(table string, port int) []string {
	var inodes []string
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) > 9 && strings.HasSuffix(fields[1], suffix) && fields[3] == stateListen {
			inodes = append(inodes, fields[9])
		}
	}
	return inodes
}

func holds(pid int, sockets map[string]bool) bool {
	folder := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(folder)
	if err != nil {
		return false
	}
	for _, entry := range entries {
		if target, err := os.Readlink(filepath.Join(folder, entry.Name())); err == nil && sockets[target] {
			return true
		}
	}
	return false
}

func commandLine(pid int) string {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return "?"
	}
	const enough = 120 // characters; more would drown the message
	command := strings.TrimSpace(string(bytes.ReplaceAll(data, []byte{0}, []byte{' '})))
	if len(command) > enough {
		command = command[:enough] + "..."
	}
	return command
}
