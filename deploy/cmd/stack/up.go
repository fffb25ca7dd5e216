package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/deploy/local/runlock"
	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// look is the time between two looks at whether something has happened.
const look = 50 * time.Millisecond

// upCmd is `stack up`.
type upCmd struct {
	sizesFlags
	Replicas  map[string]string `placeholder:"WORKLOAD=N;..." help:"Start with another number of replicas, for example orders=4."`
	Telemetry string            `enum:"on,off" default:"on" help:"${enum}. Off runs our programs without telemetry, to measure what it costs; the healer is blind then."`
}

// Run is called by kong.
func (c *upCmd) Run(ctx context.Context, flags *cli, out command.Output) error {
	paths, err := flags.folders()
	if err != nil {
		return err
	}
	if err := paths.Make(); err != nil {
		return err
	}
	holder, held, err := runlock.Current(paths.Lock)
	if err != nil {
		return err
	}
	if held && holder.Alive() {
		return join(ctx, paths, holder, out.Out)
	}
	return c.detach(ctx, paths, out.Out)
}

// join waits until the stack that somebody else started is ready.
func join(ctx context.Context, paths folders.Folders, holder runlock.Holder, out io.Writer) error {
	fmt.Fprintf(out, "a stack of this checkout runs already: process %d (%s)\n", holder.PID, holder.Command)
	for waiting := false; ; waiting = true {
		if running, err := endpoints.Read(paths.Stack); err == nil {
			fmt.Fprintf(out, "it is ready: shop %s, healer %s\n", running.Endpoints.Storefront, running.Endpoints.Autoheal)
			return nil
		}
		if !holder.Alive() {
			return fmt.Errorf("process %d ended before its stack was ready: run `stack up` again", holder.PID)
		}
		if !waiting {
			fmt.Fprintln(out, "it is still starting, or stopping: waiting for it")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(look):
		}
	}
}

// detach starts `stack run` in a session of its own, shows its progress until it is ready, and leaves it running. When
// it fails, or this command is interrupted, nothing stays.
func (c *upCmd) detach(ctx context.Context, paths folders.Folders, out io.Writer) error {
	progress, err := os.Create(paths.Log(folders.UpLog))
	if err != nil {
		return err
	}
	defer func() { _ = progress.Close() }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	child := exec.Command(self, append([]string{"run", "--root=" + paths.Root, "--telemetry=" + c.Telemetry}, append(replicaFlags(c.Replicas), c.flags()...)...)...)
	child.Stdout, child.Stderr = progress, progress
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()

	shown, err := os.Open(progress.Name())
	if err != nil {
		return errors.Join(err, interrupt(child, ended))
	}
	defer func() { _ = shown.Close() }()
	for {
		if _, err := io.Copy(out, shown); err != nil {
			return errors.Join(err, interrupt(child, ended))
		}
		select {
		case <-ctx.Done():
			err := interrupt(child, ended)
			_, _ = io.Copy(out, shown)
			return errors.Join(context.Cause(ctx), err)
		case err := <-ended:
			_, _ = io.Copy(out, shown)
			return fmt.Errorf("the stack did not start (%w): its own words are above", orEarly(err))
		case <-time.After(look):
		}
		if running, err := endpoints.Read(paths.Stack); err == nil && running.PID == child.Process.Pid {
			_, err := io.Copy(out, shown)
			fmt.Fprintln(out, "it goes on in the background: `stack status` shows it, `stack down` ends it")
			return err
		}
	}
}

func replicaFlags(replicas map[string]string) []string {
	var flags []string
	for workload, number := range replicas {
		flags = append(flags, "--replicas="+workload+"="+number)
	}
	return flags
}

func orEarly(err error) error {
	if err == nil {
		return errors.New("it ended")
	}
	return err
}

// interrupt asks the child to stop in order and waits for it.
func interrupt(child *exec.Cmd, ended <-chan error) error {
	if err := child.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	// The wait is bounded, because the child bounds its own stop; with which code it exits does not matter here.
	var exit *exec.ExitError
	if err := <-ended; err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}
