package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// compile leaves a static binary of each program in the folder of the architecture.
func compile(ctx context.Context, cfg Config) error {
	if err := os.MkdirAll(cfg.binaries(), 0o755); err != nil {
		return err
	}
	// -trimpath: the same source gives the same bytes in any folder, so an image that is already in the cluster is known.
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", cfg.binaries() + string(os.PathSeparator)}
	for _, program := range cfg.Programs {
		args = append(args, program.Package)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = cfg.Root, goEnvironment(os.Environ(), cfg.Arch)
	// go runs compilers: all of them end together, by a signal to their group.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 5 * time.Second
	var said strings.Builder
	cmd.Stdout = io.MultiWriter(cfg.Progress, &said)
	cmd.Stderr = cmd.Stdout
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("building our programs was interrupted: %w", context.Cause(ctx))
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("no go command on PATH: our images are built from this checkout, install Go 1.26 or later: %w", err)
	default:
		return fmt.Errorf("our programs do not build (%w):\n%s", err, strings.TrimSpace(said.String()))
	}
}

// goEnvironment is the caller's environment, with a build for the engine's machine and without what would make the same
// source give other bytes.
func goEnvironment(environment []string, arch string) []string {
	ours := []string{"GOOS=linux", "GOARCH=" + arch, "CGO_ENABLED=0", "GOAMD64=", "GOARM64=", "GOFLAGS="}
	kept := make([]string, 0, len(environment)+len(ours))
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		overridden := false
		for _, setting := range ours {
			overridden = overridden || strings.HasPrefix(setting, name+"=")
		}
		if !overridden {
			kept = append(kept, entry)
		}
	}
	return append(kept, ours...)
}
