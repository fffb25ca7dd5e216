package main

import (
	"context"
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
	Prune  airgapPruneCmd  `cmd:"" help:"Remove the images that were built from recipes other than today's and that no container uses. Another checkout on this Docker engine may have use for them, and would build them again."`
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
	return printImages(out.Out, result, func(string) string { return "yes" })
}

// airgapListCmd is `stack airgap list`.
type airgapListCmd struct{}

// Run is called by kong.
func (*airgapListCmd) Run(ctx context.Context, out command.Output) error {
	result, err := airgap.Names()
	if err != nil {
		return err
	}
	missing, noEngine := airgap.Missing(ctx)
	if err := printImages(out.Out, result, func(ref string) string {
		switch {
		case noEngine != nil:
			return "unknown"
		case slices.Contains(missing, ref):
			return "no"
		default:
			return "yes"
		}
	}); err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("%d of these are not there: `stack airgap` builds them", len(missing))
	}
	return noEngine
}

// airgapPruneCmd is `stack airgap prune`.
type airgapPruneCmd struct{}

// Run is called by kong.
func (*airgapPruneCmd) Run(ctx context.Context, out command.Output) error {
	done, err := airgap.Prune(ctx, airgap.Options{Progress: out.Err})
	for _, name := range done.Removed {
		fmt.Fprintln(out.Out, "removed", name)
	}
	for _, name := range done.Kept {
		fmt.Fprintf(out.Out, "kept %s: a container uses it\n", name)
	}
	if err == nil && len(done.Removed)+len(done.Kept) == 0 {
		fmt.Fprintln(out.Out, "there is no image of another recipe")
	}
	return err
}

// airgapEngineCmd is `stack airgap engine`.
type airgapEngineCmd struct{}

// Run is called by kong.
func (*airgapEngineCmd) Run(ctx context.Context, out command.Output) error {
	changes, err := engine.Setup(ctx, engine.Options{Progress: out.Err})
	if len(changes) > 1 {
		fmt.Fprintln(out.Out, "to undo it, begin with the last one:")
	}
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

// printImages is a table: in whose place, what ours is called, and whether it is there.
func printImages(out io.Writer, result airgap.Result, there func(ref string) string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "IN PLACE OF\tIMAGE\tTHERE")
	fmt.Fprintf(table, "a kind node\t%s\t%s\n", result.Node, there(result.Node))
	for _, official := range slices.Sorted(maps.Keys(result.Stack)) {
		ref := result.Stack[official]
		fmt.Fprintf(table, "%s\t%s\t%s\n", official, ref, there(ref))
	}
	return table.Flush()
}
