// Package stackrun gives a study its stack: the one that runs here already, or one of its own that ends with it.
package stackrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/deploy/local/runlock"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// stopBound is how long a stack may take to end in order; its guard ends what is left after that.
const stopBound = 30 * time.Second

// Config says where the checkout is and where progress goes.
type Config struct {
	Root     string    // of the checkout: .faultline lies in it
	Target   string    // endpoints.Local or endpoints.Kind; empty means local
	Args     []string  // further flags of `stack run`, for a stack that Ensure starts
	Progress io.Writer // the stack's own progress lines
}

// Handle is a stack that answers.
type Handle struct {
	Stack endpoints.Stack
	// Owned says that Ensure started it, and Stop will end it.
	Owned bool

	child  *exec.Cmd
	ended  chan struct{}
	endErr error
}

// Ensure returns the stack that runs in the checkout, or starts one and waits until all of it is ready. The caller
// stops it.
func Ensure(ctx context.Context, cfg Config) (*Handle, error) {
	if cfg.Target == endpoints.Kind {
		return ensureKind(ctx, cfg)
	}
	file := filepath.Join(cfg.Root, endpoints.DefaultFile)
	if stack, err := endpoints.Read(file); err == nil && runs(cfg.Root, stack) && answers(ctx, stack) {
		return &Handle{Stack: stack}, nil
	}
	h := &Handle{Owned: true, ended: make(chan struct{})}
	if err := h.start(cfg); err != nil {
		return nil, err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), h.Stop())
		case <-h.ended:
			return nil, fmt.Errorf("the stack did not start (%w): its own words are above", h.endErr)
		case <-tick.C:
			stack, err := endpoints.Read(file)
			if err == nil && stack.PID == h.child.Process.Pid && answers(ctx, stack) {
				h.Stack = stack
				return h, nil
			}
		}
	}
}

// start runs `stack run` in a process group of its own, so that Ctrl-C reaches only us and we can end it in order.
// Its standard input is a pipe that closes with us, however we end.
func (h *Handle) start(cfg Config) error {
	path := binary(cfg.Root)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%w: run `make build` first", err)
	}
	h.child = exec.Command(path, append([]string{"run", "--root=" + cfg.Root, "--until-stdin-closes"}, cfg.Args...)...)
	h.child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	h.child.Stdout, h.child.Stderr = cfg.Progress, cfg.Progress
	_, err := h.child.StdinPipe() // closed by Wait, and by the kernel when we die
	if err != nil {
		return err
	}
	if err := h.child.Start(); err != nil {
		return err
	}
	go func() {
		h.endErr = h.child.Wait()
		close(h.ended)
	}()
	return nil
}

// Stop ends the stack if Ensure started it, in order, and returns when nothing of it runs any more.
func (h *Handle) Stop() error {
	if !h.Owned {
		return nil
	}
	if err := h.child.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-h.ended:
		return nil
	case <-time.After(stopBound):
		return errors.Join(fmt.Errorf("the stack did not end within %s: killed", stopBound), h.child.Process.Kill())
	}
}

// Ended is closed when a stack that Ensure started has ended.
func (h *Handle) Ended() <-chan struct{} { return h.ended }

// runs says whether the file is that of the supervisor which holds this checkout's lock. A file that a killed stack left
// behind may name ports on which another checkout's stack answers by now.
func runs(root string, stack endpoints.Stack) bool {
	paths, err := folders.In(root)
	if err != nil {
		return false
	}
	holder, held, err := runlock.Current(paths.Lock)
	return err == nil && held && holder.PID == stack.PID && holder.Alive()
}

func answers(ctx context.Context, stack endpoints.Stack) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, stack.Endpoints.Control+"/readyz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}
