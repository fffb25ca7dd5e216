package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"github.com/faultline-lab/faultline/observability/command"
)

const description = `The doctor: alerts come in, and each ends healed and proved, or with a person.

A pool alert looks the same whatever caused it, so autoheal gathers evidence first (Prometheus, Postgres, the live
replicas), names a cause only when every sign is there, asks its guards, restarts only the sick replicas one at a time,
and believes nobody but the edge's own SLI that it worked. What it cannot tell, it does not touch.`

// commands is the whole command line.
type commands struct {
	Serve     serveCommand     `cmd:"" help:"Take alerts in and heal, until told to stop."`
	Incidents incidentsCommand `cmd:"" help:"List the incidents of a running autoheal, newest first."`
	Show      showCommand      `cmd:"" help:"Show one incident: what was seen, decided, done and proved."`
	Check     checkCommand     `cmd:"" help:"Check a playbook without using it. Errors name the file and the line."`
}

// streams are where a command writes.
type streams struct{ out, err io.Writer }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var (
		cli    commands
		helped bool
	)
	parser, err := kong.New(&cli,
		kong.Name("autoheal"), kong.Description(description), kong.Writers(stdout, stderr), kong.DefaultEnvars("FAULTLINE"),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		// Kong goes on parsing after the help; its complaints about missing flags are then beside the point.
		kong.Exit(func(int) { helped = true }),
	)
	if err != nil {
		return fmt.Errorf("flags of autoheal: %w", err)
	}
	chosen, err := parser.Parse(args)
	if helped {
		return nil
	}
	if err != nil {
		return &command.UsageError{Err: err}
	}
	chosen.BindTo(ctx, (*context.Context)(nil))
	chosen.Bind(streams{stdout, stderr})
	err = chosen.Run()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // told to stop, and stopped
	}
	return err
}
