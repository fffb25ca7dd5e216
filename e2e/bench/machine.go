package bench

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Machine is where the figures are from: without it they mean nothing.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	System string `json:"system"`
	Go     string `json:"go"`
	// Load is the load average before the first measurement: what else this machine was doing.
	Load string `json:"load_average,omitempty"`
	// Commit of the checkout, with -dirty when files were changed; empty without git.
	Commit string `json:"commit,omitempty"`
}

// ThisMachine looks around. What cannot be found out stays empty.
func ThisMachine(ctx context.Context, root string) Machine {
	m := Machine{
		Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
		CPU: modelIn(contentOf("/proc/cpuinfo")), Load: strings.TrimSpace(contentOf("/proc/loadavg")),
	}
	command := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12")
	command.Dir = root
	if output, err := command.Output(); err == nil {
		m.Commit = strings.TrimSpace(string(output))
	}
	return m
}

func contentOf(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return string(data)
}

// modelIn finds the processor's name in /proc/cpuinfo.
func modelIn(info string) string {
	for line := range strings.Lines(info) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
