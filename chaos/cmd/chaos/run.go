package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

const description = `Breaks the running system on purpose, one experiment at a time, and puts it right again.

An experiment is a YAML file: what should hold, what is broken, for how long, and what a good healer makes of it.
It starts only from a steady state, and whatever happens (an abort condition, Ctrl-C) the fault is taken away at its end.`

// commands is the command line.
type commands struct {
	List   listCommand   `cmd:"" help:"List the experiments."`
	Show   showCommand   `cmd:"" help:"Show an experiment's file."`
	Check  checkCommand  `cmd:"" help:"Check experiment files without a running stack."`
	Run    runCommand    `cmd:"" help:"Run an experiment against the running stack."`
	Stop   stopCommand   `cmd:"" help:"Take away the fault of the active experiment."`
	Status statusCommand `cmd:"" help:"Show the active experiment and whether its fault is still there."`
}

// output is where a command writes: results to stdout, progress to stderr.
type output struct{ stdout, stderr io.Writer }

// Main runs the program until it is done or told to stop, and returns its exit code. A second signal ends it at once.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	err := run(ctx, args, stdout, stderr)
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "chaos: %v (-h explains the commands)\n", err)
		return exitUsage
	default:
		fmt.Fprintf(stderr, "chaos: %v\n", err)
		return exitFailure
	}
}

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	helped := false
	var cli commands
	parser, err := kong.New(&cli,
		kong.Name("chaos"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Vars{"stack_file": endpoints.DefaultFile},
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(output{stdout, stderr}),
		kong.DefaultEnvars("FAULTLINE"),
		// Kong goes on parsing after the help; its complaints about a missing command are then beside the point.
		kong.Exit(func(int) { helped = true }),
	)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return nil
	case err != nil:
		return &usageError{err}
	default:
		return command.Run()
	}
}
