package main

import (
	"context"
	"errors"
	"io"

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
	Status    statusCommand    `cmd:"" help:"How the running autoheal stands: paused, kill switch, open incidents."`
	Approve   approveCommand   `cmd:"" help:"Say yes to what the healer asks about an incident. It looks again, and acts if it still is so."`
	Deny      denyCommand      `cmd:"" help:"Say no to it: the incident is left to people."`
	Pause     pauseCommand     `cmd:"" help:"Have the healer act on nothing until it is resumed. It goes on looking and telling."`
	Resume    resumeCommand    `cmd:"" help:"Let the healer act again."`
	Replay    replayCommand    `cmd:"" help:"Judge past incidents again, by this or another playbook, and compare."`
	Check     checkCommand     `cmd:"" help:"Check a playbook without using it. Errors name the file and the line."`
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	program := command.Program{Name: "autoheal", Description: description, Vars: map[string]string{"columns": columnNames()}}
	err := program.Dispatch(ctx, &commands{}, args, stdout, stderr)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // told to stop, and stopped
	}
	return err
}
