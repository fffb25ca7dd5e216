package main

import (
	"context"
	"errors"

	"github.com/faultline-lab/faultline/deploy/apiserver"
	"github.com/faultline-lab/faultline/deploy/beside"
	"github.com/faultline-lab/faultline/observability/command"
)

// apiserverCmd is `stack apiserver`.
type apiserverCmd struct {
	Command []string `arg:"" passthrough:"" help:"The command and its arguments, after --."`
}

// Run is called by kong.
func (c *apiserverCmd) Run(ctx context.Context, out command.Output) error {
	argv := c.Command
	if len(argv) > 0 && argv[0] == "--" {
		argv = argv[1:]
	}
	err := apiserver.RunWith(ctx, apiserver.Options{Progress: out.Err}, out.Out, out.Err, argv)
	if failed, ok := errors.AsType[*beside.ExitError](err); ok {
		return &command.ChildError{Code: failed.Code, Err: err}
	}
	return err
}
