package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/faultline-lab/faultline/deploy/airgap"
	"github.com/faultline-lab/faultline/deploy/airgap/engine"
	"github.com/faultline-lab/faultline/observability/command"
)

// airgapCmd is `stack airgap`.
type airgapCmd struct {
	Build  airgapBuildCmd  `cmd:"" default:"withargs" help:"Build the images that are missing: the kind node, Postgres, Prometheus, Alertmanager, Loki, Jaeger. About 12 minutes once, seconds afterwards."`
	List   airgapListCmd   `cmd:"" help:"Say what the images are called, and whether the Docker engine has them."`
	Engine airgapEngineCmd `cmd:"" help:"Make a Docker engine usable on this machine (Debian-like, as root): install and start it where none answers, and see that kind's nodes can run. Says what it changed and how to undo that."`
}

// airgapBuildCmd is `stack airgap build`, and `stack airgap`.
type airgapBuildCmd struct {
	DebianMirror string `placeholder:"URL" help:"Where Debian's packages come from. Default: where apt on this machine has them from."`
}

// Run is called by kong.
func (c *airgapBuildCmd) Run(ctx context.Context, out command.Output) error {
	result, err := airgap.Build(ctx, airgap.Options{Progress: out.Err, Mirror: c.DebianMirror})
	if err != nil {
		return err
	}
	return printImages(out.Out, result)
}

// airgapListCmd is `stack airgap list`.
type airgapListCmd struct{}

// Run is called by kong.
func (*airgapListCmd) Run(ctx context.Context, out command.Output) error {
	result, present, err := airgap.Present(ctx, airgap.Options{})
	if err != nil {
		return err
	}
	if err := printImages(out.Out, result); err != nil || present {
		return err
	}
	return errors.New("not all of these are there: `stack airgap` builds them")
}

// airgapEngineCmd is `stack airgap engine`.
type airgapEngineCmd struct{}

// Run is called by kong.
func (*airgapEngineCmd) Run(ctx context.Context, out command.Output) error {
	changes, err := engine.Setup(ctx, engine.Options{Progress: out.Err})
	for _, change := range changes {
		fmt.Fprintf(out.Out, "%s\n  undo: %s\n", change.What, change.Undo)
	}
	if err != nil {
		return err
	}
	if len(changes) == 0 {
		fmt.Fprintln(out.Out, "nothing had to be changed")
	}
	fmt.Fprintln(out.Out, "a Docker engine answers, and can run kind's nodes")
	return nil
}

// printImages is a table: in whose place, and what ours is called.
func printImages(out io.Writer, result airgap.Result) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "kind node\t%s\n", result.Node)
	for _, official := range slices.Sorted(maps.Keys(result.Stack)) {
		fmt.Fprintf(table, "%s\t%s\n", official, result.Stack[official])
	}
	return table.Flush()
}
