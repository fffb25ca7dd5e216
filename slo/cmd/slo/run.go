package main

import (
	"context"
	"io"

	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/slo/capacity"
)

const description = `Turns promises about services (OpenSLO v1 files) into Prometheus rules, and tells how well they are kept.`

// commands is the command line.
type commands struct {
	Budget   budgetCommand   `cmd:"" help:"Say how much of each error budget is left, from a live Prometheus."`
	Capacity capacityCommand `cmd:"" help:"Say at what rate the connection pools are full, what fits under max_connections, and what a rate needs."`
	Generate generateCommand `cmd:"" help:"Write the Prometheus rules of OpenSLO files."`
	Check    checkCommand    `cmd:"" help:"Find promises that will not do what they should."`
	Profiles profilesCommand `cmd:"" help:"List the window profiles: over which windows, and how fast, a budget may burn."`
}

// run is the program without its exit.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	program := command.Program{
		Name: "slo", Description: description, Vars: map[string]string{
			"stack_file": endpoints.DefaultFile, "journey": capacity.DefaultJourney, "pools": capacity.DefaultPools,
		},
	}
	return program.Dispatch(ctx, &commands{}, args, stdout, stderr)
}
