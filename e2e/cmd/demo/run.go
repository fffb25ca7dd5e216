package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/faultline-lab/faultline/observability/command"
)

const description = `Tells one trial live: checks that customers are served well, breaks the pool, watches client, alert and healer
until the story is over, and writes the record and a postmortem.

It runs on a kind cluster where a Docker engine answers and the node image is there or can be pulled, and as processes of
this machine otherwise; it says which, and why. It uses the stack that is there already ('make up', or the cluster of
the last time), or starts one. Local processes of its own end with it; a cluster stays for the next time, and 'make down'
removes it. The record goes to .faultline/last-trial.json.

Exit code: 0 recovered, 1 not recovered or something failed, 2 wrong usage.`

// options are the flags.
type options struct {
	Target     string        `enum:"auto,local,kind" default:"auto" help:"Where the stack runs: local, kind, or auto."`
	Arm        string        `default:"healer" help:"Who answers the alert: healer, or none to see the fault stay."`
	Experiment string        `default:"connection-leak" help:"An experiment by name ('chaos list') or file."`
	Once       bool          `help:"End when the story is told, instead of staying up until Ctrl-C."`
	Seed       int64         `default:"1" help:"Seed of what the trial leaves to chance; it is in the record."`
	Window     time.Duration `help:"How long to watch after the injection, instead of the experiment's own duration."`
	Root       string        `type:"path" help:"Root of the checkout. Default: the nearest folder upwards with a go.work."`
}

var (
	errNotRecovered = errors.New("the client did not recover")
	errInterrupted  = errors.New("interrupted: what there was of the fault is taken away, and local processes of the demo's own have ended; a kind cluster stays (`make down` removes it)")
)

// run is the program without its exit.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var flags options
	program := command.Program{Name: "demo", Description: description}
	proceed, err := program.Parse(&flags, args, stdout, stderr)
	if err != nil || !proceed {
		return err
	}
	recovered, err := demo(ctx, flags, stdout)
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	case !recovered:
		return errNotRecovered
	}
	return nil
}
