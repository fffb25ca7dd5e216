package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/faultline-lab/faultline/deploy/airgap"
	"github.com/faultline-lab/faultline/deploy/beside"
	"github.com/faultline-lab/faultline/deploy/local/postgres"
	"github.com/faultline-lab/faultline/deploy/local/postgrescontainer"
	"github.com/faultline-lab/faultline/deploy/toolchain"
	"github.com/faultline-lab/faultline/observability/command"
)

// toolsCmd is `stack tools`.
type toolsCmd struct {
	Dir   string           `placeholder:"DIR" help:"Also make a link to each in this folder."`
	Names []toolchain.Name `arg:"" optional:"" name:"tool" help:"Only these."`
}

// Run is called by kong.
func (c *toolsCmd) Run(ctx context.Context, out command.Output) error {
	found, err := toolchain.Ensure(ctx, toolchain.Options{Progress: out.Err}, c.Names...)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out.Out, 0, 0, 2, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(found)) {
		tool := found[name]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", tool.Name, tool.Version, tool.Origin, tool.Path)
	}
	if err := c.mentionGrafana(ctx, out, table); err != nil {
		return err
	}
	if err := table.Flush(); err != nil || c.Dir == "" {
		return err
	}
	return link(c.Dir, found)
}

// mentionGrafana lists the one program that is used when it is there and never built.
func (c *toolsCmd) mentionGrafana(ctx context.Context, out command.Output, table io.Writer) error {
	if len(c.Names) > 0 {
		return nil
	}
	found, err := toolchain.FindGrafana(ctx, toolchain.Options{Progress: out.Err})
	switch {
	case err != nil:
		return err
	case found == nil:
		fmt.Fprintln(out.Err, toolchain.GrafanaAbsent)
	default:
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", found.Name, found.Version, found.Origin, found.Path)
	}
	return nil
}

// link makes DIR/NAME point to each tool, whatever was there before.
func link(dir string, tools map[toolchain.Name]toolchain.Tool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, tool := range tools {
		at := filepath.Join(dir, string(name))
		if err := os.Remove(at); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := os.Symlink(tool.Path, at); err != nil {
			return err
		}
	}
	return nil
}

// postgresCmd is `stack postgres`.
type postgresCmd struct {
	Image   string   `placeholder:"REF" env:"FAULTLINE_TEST_POSTGRES_IMAGE" help:"Run it in a container of this image, PostgreSQL 18 or later, such as docker.io/library/postgres:18; \"airgap\" is the one built by stack airgap. Default: a process of this machine."`
	Command []string `arg:"" passthrough:"" help:"The command and its arguments, after --."`
}

// Run is called by kong.
func (c *postgresCmd) Run(ctx context.Context, out command.Output) error {
	argv := c.Command
	if len(argv) > 0 && argv[0] == "--" {
		argv = argv[1:]
	}
	err := c.runWith(ctx, out, argv)
	if failed, ok := errors.AsType[*beside.ExitError](err); ok {
		return &command.ChildError{Code: failed.Code, Err: err}
	}
	return err
}

func (c *postgresCmd) runWith(ctx context.Context, out command.Output, argv []string) error {
	if c.Image == "" {
		return postgres.RunWith(ctx, postgres.Options{Find: postgres.FindOptions{Progress: out.Err}}, out.Out, out.Err, argv)
	}
	image := c.Image
	if image == "airgap" {
		names, err := airgap.Names()
		if err != nil {
			return err
		}
		image = names.Stack["docker.io/library/postgres"]
	}
	return postgrescontainer.RunWith(ctx, postgrescontainer.Options{Image: image, Progress: out.Err}, out.Out, out.Err, argv)
}
