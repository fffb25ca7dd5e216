package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/faultline-lab/faultline/observability/command"
)

const description = `Measures, in one run, with the arms in turn so that the machine's mood meets all of them:

- telemetry: processor time per order and p99 at a fixed rate, telemetry on against off, each measurement on a stack of its
own. Goal: at most 15 % more.

- repository: the order's transaction through the repository and pool of orders, against pgbench running the same statements,
recorded from the wire, on the same server. Goal: at least 0.8 of its throughput.

- path: the whole path through four services at rising rates, for the record.

- capacity (only when asked for; four minutes): the rate at which slo capacity says the pools are full, against the rate at which
they are. Goal: at most 15 % apart.

With the defaults that takes about 12 minutes. Let the machine rest meanwhile; 'make down' first. Results go to
.faultline/bench/<time>/: results.json with every round, table.md. The table also goes to standard output.
docs/benchmarks.md says how to read it.

Exit code: 0 measured, 1 something failed, or with --gate a goal was missed, 2 wrong usage.`

// options are the flags.
type options struct {
	Parts       []string      `enum:"telemetry,repository,path,capacity" default:"telemetry,repository,path" help:"What to measure: ${enum}."`
	Rounds      int           `short:"n" default:"5" help:"Measurements of each arm."`
	Rate        int           `default:"40" help:"Checkouts a second under which telemetry is measured, and at which capacity is predicted."`
	WarmUp      time.Duration `default:"5s" help:"Load before a measurement on a stack."`
	Measure     time.Duration `default:"20s" help:"Length of a measurement on a stack; whole seconds."`
	Clients     []int         `default:"4,8" help:"Clients of the repository and of pgbench, each with a connection of its own."`
	Transaction time.Duration `default:"5s" help:"Length of a measurement of the repository; whole seconds."`
	PathRates   []int         `default:"40,60,70,80,90,100" help:"Rates that the path is tried at, up to the first that is not steady."`
	Seed        uint64        `default:"1" help:"Seed of the order of the arms."`
	Gate        bool          `help:"End with exit code 1 when a goal is missed."`
	Out         string        `type:"path" help:"Folder for the results. Default: .faultline/bench/<time>."`
	Root        string        `type:"path" help:"Root of the checkout. Default: the nearest folder upwards with a go.work."`
}

// Validate is called by kong.
func (o *options) Validate() error {
	if o.Rounds < 1 || o.Rate < 1 || o.WarmUp < 0 {
		return errors.New("--rounds and --rate must be at least 1, and --warm-up not negative")
	}
	for name, length := range map[string]time.Duration{"--measure": o.Measure, "--transaction": o.Transaction} {
		if length < time.Second || length%time.Second != 0 {
			return fmt.Errorf("%s=%s: give whole seconds, at least one", name, length)
		}
	}
	for name, numbers := range map[string][]int{"--clients": o.Clients, "--path-rates": o.PathRates} {
		for _, number := range numbers {
			if number < 1 {
				return fmt.Errorf("%s: %d is none: give numbers from 1 on", name, number)
			}
		}
	}
	return nil
}

var errMissed = errors.New("goals were missed")

// run is the program without its exit.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var flags options
	program := command.Program{Name: "bench", Description: description}
	proceed, err := program.Parse(&flags, args, stdout, stderr)
	if err != nil || !proceed {
		return err
	}
	return measure(ctx, flags, stdout, stderr)
}
