package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/faultline-lab/faultline/deploy/images"
	"github.com/faultline-lab/faultline/observability/command"
)

// imagesCmd is `stack images`.
type imagesCmd struct {
	File string `arg:"" help:"The archive to write, for docker load."`
	Arch string `placeholder:"ARCH" help:"The processor of the nodes, as Go names it: amd64, arm64. Default: this machine's."`
}

// Run is called by kong.
func (c *imagesCmd) Run(ctx context.Context, flags *cli, out command.Output) error {
	paths, err := flags.folders()
	if err != nil {
		return err
	}
	made, err := images.Build(ctx, images.Config{Root: paths.Root, Arch: c.Arch, Progress: out.Err})
	if err != nil {
		return err
	}
	file, err := os.Create(c.File)
	if err != nil {
		return err
	}
	if err := errors.Join(images.Archive(file, made), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", c.File, err)
	}
	for _, image := range made {
		if _, err := fmt.Fprintln(out.Out, image.Ref()); err != nil {
			return err
		}
	}
	return nil
}
