package main

import (
	"context"
	"io"

	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

const description = `Breaks the running system on purpose, and puts it right again.

An experiment is a YAML file: what should hold, what is broken, for how long, and what a good healer makes of it.
It starts only from a steady state, and whatever happens (an abort condition, Ctrl-C, SIGKILL) the fault is taken away:
every fault has a time to live, and a keeper that outlives the process which injected it.

Each experiment leaves a trace in the stack's Jaeger and log records in its Loki, of service "chaos". Where those are
missing or do not answer, it runs the same.`

// commands is the command line.
type commands struct {
	List   listCommand   `cmd:"" help:"List the experiments."`
	Show   showCommand   `cmd:"" help:"Show an experiment's file."`
	Check  checkCommand  `cmd:"" help:"Check experiment files without a running stack."`
	Render renderCommand `cmd:"" help:"Print an experiment's Chaos Mesh resource, for kubectl apply."`
	Run    runCommand    `cmd:"" help:"Run an experiment against the running stack."`
	Stop   stopCommand   `cmd:"" help:"Take away the faults of active experiments."`
	Status statusCommand `cmd:"" help:"Show the active experiments and whether their faults are still there."`
	Keep   keepCommand   `cmd:"" hidden:"" help:"Watch over a fault and take it away in time (chaos run starts this)."`
}

// run is the program without its exit.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	program := command.Program{
		Name: "chaos", Description: description, Vars: map[string]string{"stack_file": endpoints.DefaultFile},
	}
	return program.Dispatch(ctx, &commands{}, args, stdout, stderr)
}
