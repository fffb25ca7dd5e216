package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/deploy/local"
	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/deploy/local/guard"
	"github.com/faultline-lab/faultline/deploy/local/hostproc"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
	"github.com/faultline-lab/faultline/deploy/local/runlock"
	"github.com/faultline-lab/faultline/observability/command"
)

// How long a supervisor has to stop in order, and how long its guard has to clean up after it.
const (
	orderly = 30 * time.Second
	cleanUp = 15 * time.Second
)

// downCmd is `stack down`.
type downCmd struct{}

// Run is called by kong.
func (*downCmd) Run(ctx context.Context, flags *cli, out command.Output) error {
	paths, err := flags.folders()
	if err != nil {
		return err
	}
	ended, err := endHolder(ctx, paths, out.Out)
	if err != nil {
		return err
	}
	swept := guard.Sweep(local.Mark(paths))
	deleted, err := takeClusterDown(ctx, paths, out.Out)
	if err != nil {
		return err
	}
	if err := clearAway(ctx, paths); err != nil {
		return err
	}
	switch {
	case len(swept) > 0:
		fmt.Fprintf(out.Out, "killed %d processes that nobody looked after\n", len(swept))
	case ended:
		fmt.Fprintln(out.Out, "stopped: nothing is left")
	case deleted: // it has said so
	default:
		fmt.Fprintln(out.Out, "nothing runs here")
	}
	return nil
}

// clearAway removes the files of a stack that was killed together with its guard: a supervisor that ends, and a guard that
// cleans up, leave none.
func clearAway(ctx context.Context, paths folders.Folders) error {
	if _, err := os.Stat(paths.Run); errors.Is(err, os.ErrNotExist) {
		return nil // nothing was ever started here
	}
	lock, err := runlock.Acquire(ctx, paths.Lock, "stack down")
	if err != nil {
		return err
	}
	dataDir, err := postgres.DataDirFor(filepath.Join(paths.State, "postgres"))
	if err == nil {
		err = postgres.Remove(dataDir)
	}
	return errors.Join(err, paths.Forget(), lock.Release())
}

// endHolder ends whoever holds the lock and waits until it is free. It says whether there was anybody.
func endHolder(ctx context.Context, paths folders.Folders, out io.Writer) (bool, error) {
	holder, held, err := runlock.Current(paths.Lock)
	if err != nil || !held {
		return false, err
	}
	if holder.Alive() {
		fmt.Fprintf(out, "stopping process %d (%s)\n", holder.PID, holder.Command)
		if err := tell(holder, syscall.SIGTERM); err != nil {
			return true, err
		}
		free, err := awaitFree(ctx, paths, orderly)
		if err != nil || free {
			return true, err
		}
		fmt.Fprintf(out, "it does not stop within %s: killing it\n", orderly)
		if err := tell(holder, syscall.SIGKILL); err != nil {
			return true, err
		}
	}
	free, err := awaitFree(ctx, paths, cleanUp)
	if err == nil && !free {
		err = fmt.Errorf("%s is still held after %s: `fuser %s` finds by whom, and %s may say why",
			paths.Lock, cleanUp, paths.Lock, paths.Log(folders.GuardLog))
	}
	return true, err
}

func tell(holder runlock.Holder, sig syscall.Signal) error {
	if err := holder.Signal(sig); err != nil && !errors.Is(err, hostproc.ErrGone) {
		return fmt.Errorf("process %d: %w: is it another user's?", holder.PID, err)
	}
	return nil
}

// awaitFree waits until nobody holds the lock: no supervisor, and no guard that is still cleaning up.
func awaitFree(ctx context.Context, paths folders.Folders, atMost time.Duration) (bool, error) {
	for deadline := time.Now().Add(atMost); ; {
		_, held, err := runlock.Current(paths.Lock)
		if err != nil || !held {
			return !held, err
		}
		if time.Now().After(deadline) {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-time.After(look):
		}
	}
}
