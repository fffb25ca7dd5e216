package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/faultline-lab/faultline/deploy/kind"
	"github.com/faultline-lab/faultline/deploy/local"
	"github.com/faultline-lab/faultline/deploy/local/guard"
	"github.com/faultline-lab/faultline/observability/command"
)

// runCmd is `stack run`.
type runCmd struct {
	sizesFlags
	Replicas         map[string]int `placeholder:"WORKLOAD=N;..." help:"Start with another number of replicas, for example orders=4."`
	Telemetry        string         `enum:"on,off" default:"on" help:"${enum}. Off runs our programs without telemetry, to measure what it costs; the healer is blind then."`
	UntilStdinCloses bool           `help:"Also stop, in order, when standard input closes: for a program that starts this and may be killed."`
}

// Run is called by kong.
func (c *runCmd) Run(ctx context.Context, flags *cli, out command.Output) error {
	paths, err := flags.folders()
	if err != nil {
		return err
	}
	onKind, err := kind.Known(paths)
	if err != nil {
		return err
	}
	if onKind { // both would claim the same ports and the same stack.json
		return errors.New("this checkout has a kind cluster: `make down` takes it away, `stack kind up` uses it")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if c.UntilStdinCloses {
		ctx = untilClosed(ctx, os.Stdin)
	}
	return local.Run(ctx, local.Options{
		Root: paths.Root, Replicas: c.Replicas, Progress: out.Out, GuardCommand: []string{self, "guard"},
		Sizes: c.sizes(), Blind: c.Telemetry == "off",
	})
}

var errInputClosed = errors.New("standard input was closed")

// untilClosed returns a context that ends with ctx and when nothing can be read any more.
func untilClosed(ctx context.Context, in io.Reader) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, in) // whatever ends it, the other side is gone
		cancel(errInputClosed)
	}()
	return ctx
}

// guardCmd is `stack guard`.
type guardCmd struct{}

// Run is called by kong.
func (*guardCmd) Run(out command.Output) error {
	// Only the end of the pipe ends a guard: whoever signals the supervisor's processes must not reach it first.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	return guard.Serve(os.Stdin, slog.New(slog.NewTextHandler(out.Out, nil)))
}
