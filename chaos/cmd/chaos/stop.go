package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/faultline-lab/faultline/chaos/mesh"
	"github.com/faultline-lab/faultline/chaos/runner"
	"github.com/faultline-lab/faultline/observability/command"
)

type stopCommand struct {
	stackFlag
	Experiment string `arg:"" optional:"" help:"Name of an active experiment, or its id. Not needed when only one is active."`
	All        bool   `help:"Stop every active experiment."`
	Forget     bool   `help:"With --all: drop the records of faults that cannot be taken away."`
}

// Run takes the faults of active experiments away. Nothing to do is no failure.
func (c stopCommand) Run(ctx context.Context, out command.Output) error {
	if c.All && c.Experiment != "" {
		return &command.UsageError{Err: errors.New("give the name of an experiment or --all, not both")}
	}
	active, listErr := runner.Active(c.StackFile)
	if listErr != nil && !c.All {
		return listErr
	}
	chosen, err := c.choose(active)
	if err != nil {
		return err
	}
	problems := []error{listErr}
	for _, record := range chosen {
		problems = append(problems, c.stop(ctx, out, record))
	}
	switch err := errors.Join(problems...); {
	case err == nil && len(chosen) == 0:
		fmt.Fprintln(out.Out, "no experiment is active")
		return nil
	case err == nil:
		fmt.Fprintln(out.Out, "nothing is left of it")
		return nil
	case c.All && c.Forget:
		return errors.Join(fmt.Errorf("the records were dropped, and what there was of the faults may still be there: %w", err),
			runner.Forget(c.StackFile))
	default:
		return err
	}
}

// choose finds what is to be stopped.
func (c stopCommand) choose(active []runner.Record) ([]runner.Record, error) {
	if c.All || c.Experiment == "" && len(active) <= 1 {
		return active, nil
	}
	var names []string
	for _, record := range active {
		if c.Experiment == record.Experiment || c.Experiment == record.ID {
			return []runner.Record{record}, nil
		}
		names = append(names, record.Experiment)
	}
	if c.Experiment != "" {
		return nil, fmt.Errorf("%s is not active; active: %s", c.Experiment, orNone(strings.Join(names, ", ")))
	}
	return nil, fmt.Errorf("%d experiments are active: `chaos stop NAME` stops one of %s, `chaos stop --all` all of them",
		len(active), strings.Join(names, ", "))
}

func (c stopCommand) stop(ctx context.Context, out command.Output, record runner.Record) error {
	fmt.Fprintf(out.Out, "taking away the fault of %s\n", record.Experiment)
	r, err := runner.Resume(c.StackFile, record.ID)
	if errors.Is(err, runner.ErrNothingActive) { // its keeper, or its runner, was quicker
		return nil
	}
	if err != nil {
		return err
	}
	defer r.Close()
	err = r.Restore(ctx)
	if errors.Is(err, mesh.ErrStuck) && c.All {
		return r.Clear(ctx)
	}
	return err
}

type keepCommand struct {
	stackFlag
	ID string `arg:"" help:"Id of the run."`
}

// Run is the process that chaos run starts beside itself before it injects.
func (c keepCommand) Run(ctx context.Context, out command.Output) error {
	if _, err := fmt.Fprintln(out.Out, runner.KeeperReady); err != nil {
		return err
	}
	return runner.Keep(ctx, c.StackFile, c.ID, os.Stdin)
}
