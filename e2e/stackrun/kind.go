package stackrun

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

// kindStopBound is how long `stack kind up` may take to tidy up what it was making when it is interrupted.
const kindStopBound = time.Minute

// ensureKind brings the cluster up, or what runs in it up to date. The cluster stays when the study is over: making it
// anew would cost more than keeping it, and `make down` removes it.
func ensureKind(ctx context.Context, cfg Config) (*Handle, error) {
	path := binary(cfg.Root)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%w: run `make build` first", err)
	}
	up := exec.CommandContext(ctx, path, "--root="+cfg.Root, "kind", "up", "--until-stdin-closes")
	up.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches it through us, once
	up.Cancel = func() error { return up.Process.Signal(syscall.SIGTERM) }
	up.WaitDelay = kindStopBound
	up.Stdout, up.Stderr = cfg.Progress, cfg.Progress
	// Closed by Wait, and by the kernel when we die.
	if _, err := up.StdinPipe(); err != nil {
		return nil, err
	}
	if err := up.Run(); err != nil {
		if killed := up.ProcessState != nil && !up.ProcessState.Exited(); ctx.Err() != nil && killed {
			// Its docker commands are of its group.
			return nil, errors.Join(fmt.Errorf("the cluster may be half made: `make down` takes it away: %w", context.Cause(ctx)),
				syscall.Kill(-up.Process.Pid, syscall.SIGKILL))
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, errors.Join(errors.New("the kind cluster did not come up: its own words are above"), err)
	}
	stack, err := endpoints.Read(filepath.Join(cfg.Root, endpoints.DefaultFile))
	if err != nil {
		return nil, err
	}
	return &Handle{Stack: stack, ended: make(chan struct{})}, nil
}
