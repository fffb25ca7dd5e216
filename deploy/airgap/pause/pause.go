package pause

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Source is the program's.
//
//go:embed program/main.go
var Source string

// Build leaves the program, static, in dir, and returns its path.
func Build(ctx context.Context, dir string) (string, error) {
	const module = "module pause\n\ngo 1.26.0\n"
	for name, text := range map[string]string{"go.mod": module, "main.go": Source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	path := filepath.Join(dir, "pause")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path, ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=", "GOOS=linux")
	output, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("building pause: put the folder of go on PATH (sudo has a PATH of its own: `sudo env \"PATH=$PATH\" "+
			"...`): %w", err)
	case err != nil:
		return "", fmt.Errorf("building pause: %w: %s", err, output)
	}
	return path, nil
}
