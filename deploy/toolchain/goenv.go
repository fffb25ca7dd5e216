package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// ErrNoGo says that the programs have to be built and that there is nothing to build them with.
var ErrNoGo = errors.New("no go command on PATH")

// goTool is the Go toolchain that builds.
type goTool struct {
	path    string
	version string // go1.26.0
}

// findGo finds the toolchain. dir is a folder outside any module.
func findGo(ctx context.Context, lookPath func(string) (string, error), dir string) (goTool, error) {
	path, err := lookPath("go")
	if err != nil {
		return goTool{}, ErrNoGo
	}
	cmd := exec.CommandContext(ctx, path, "env", "GOVERSION")
	cmd.Env, cmd.Dir = goEnvironment(os.Environ()), dir
	output, err := cmd.Output()
	if err != nil {
		return goTool{}, fmt.Errorf("%s does not run: %w", path, err)
	}
	return goTool{path: path, version: strings.TrimSpace(string(output))}, nil
}

// goEnvironment is the caller's environment (proxies, caches, credentials) without what would make a build mean
// something else than the pins say.
func goEnvironment(environment []string) []string {
	ours := map[string]string{
		"GOWORK": "off", "GO111MODULE": "on", "CGO_ENABLED": "0", "GOOS": runtime.GOOS, "GOARCH": runtime.GOARCH,
		"GOAMD64": "", "GOARM64": "", "GOEXPERIMENT": "", "GOFLAGS": "",
	}
	var kept []string
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		if _, set := ours[name]; set {
			continue
		}
		kept = append(kept, entry)
	}
	for name, value := range ours {
		kept = append(kept, name+"="+value)
	}
	return kept
}
