package main

import (
	"context"
	"errors"
	"io"

	"github.com/faultline-lab/faultline/observability/command"
)

const description = `Measures time to recovery: N trials for each experiment and arm, in an order that the seed shuffles. Each trial starts
with a fresh healer store and a checked steady state. The judge is the client: recovery is the first of ten good seconds
running.

It uses the stack that is there already, or starts one; a kind cluster stays up afterwards ('make down' removes it).
Results go to .faultline/mttr/<time>/: one JSON record a trial, results.json, table.md. The table also goes to
standard output.

Exit code: 0 every objective of e2e/objectives.yaml is met, 1 one is missed or something failed, 2 wrong usage.`

// options are the flags.
type options struct {
	N           int      `short:"n" default:"10" help:"Trials for each experiment and arm."`
	Arms        []string `default:"healer,none" help:"Who answers the alert: healer, restart-bot, accept-bot, none."`
	Experiments []string `default:"connection-leak" help:"Experiments by name ('chaos list') or file, or all: the ten of the list."`
	PoolSize    int      `placeholder:"N" help:"Connections of each replica of orders, of a local stack that this starts. The experiments' doses follow; the healer is told nothing. Default: 4."`
	Rate        int      `placeholder:"N" help:"Checkouts a second, likewise. Default: 40."`
	HealerFlags []string `name:"healer-flag" sep:"none" placeholder:"FLAG" help:"A further flag of the healer, likewise: --healer-flag=--release-window=1s. Repeatable."`
	Target      string   `enum:"auto,local,kind" default:"auto" help:"Where the stack runs: local, kind, or auto, which decides as 'demo' does."`
	Seed        int64    `default:"1" help:"Seed of the order of the trials."`
	Out         string   `type:"path" help:"Folder for the results. Default: .faultline/mttr/<time>."`
	Objectives  string   `type:"path" help:"What the results are held against. Default: e2e/objectives.yaml of the checkout."`
	Root        string   `type:"path" help:"Root of the checkout. Default: the nearest folder upwards with a go.work."`
}

var errMissed = errors.New("objectives were missed")

// run is the program without its exit.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var flags options
	program := command.Program{Name: "mttr", Description: description}
	proceed, err := program.Parse(&flags, args, stdout, stderr)
	if err != nil || !proceed {
		return err
	}
	return measure(ctx, flags, stdout, stderr)
}
