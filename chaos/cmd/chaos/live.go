package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/chaos/runner"
	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// stackFlag is what every command needs that talks to the stack.
type stackFlag struct {
	StackFile string `default:"${stack_file}" help:"File that says where the running stack answers." type:"path"`
}

type runCommand struct {
	stackFlag
	Experiment string        `arg:"" help:"Name of an experiment, or a file."`
	Target     string        `default:"auto" enum:"auto,local,kind" help:"Refuse to run unless the stack is of this target (auto, local, kind)."`
	Duration   time.Duration `help:"How long to observe; 0 means as long as the experiment says."`
	Keep       bool          `help:"Leave the fault where it is at the end; chaos stop takes it away."`
}

// Run runs the experiment and fails unless its hypothesis held at the end of the window.
func (c runCommand) Run(ctx context.Context, out command.Output) error {
	e, err := load(c.Experiment)
	if err != nil {
		return err
	}
	stack, err := endpoints.Read(c.StackFile)
	if err != nil {
		return err
	}
	if c.Target != "auto" && c.Target != stack.Target {
		return fmt.Errorf("the stack that runs here is %s, not %s", stack.Target, c.Target)
	}
	fmt.Fprintf(out.Out, "%s: %s\n", e.Name, e.Title)
	result, err := runner.Run(ctx, runner.Options{
		Experiment: e, StackFile: c.StackFile, Duration: c.Duration, Keep: c.Keep,
		OnEvent: func(event runner.Event) {
			fmt.Fprintf(out.Out, "%s  %-8s %s\n", event.At.Format("15:04:05.0"), event.Kind, event.Text)
		},
	})
	if err != nil {
		return err
	}
	return verdict(result)
}

func verdict(result runner.Result) error {
	switch {
	case result.Held():
		return nil
	case result.End == runner.WindowOver:
		return fmt.Errorf("the hypothesis of %s did not hold", result.Experiment)
	default:
		return fmt.Errorf("%s did not run to its end: %s", result.Experiment, result.End)
	}
}

type stopCommand struct {
	stackFlag
	All bool `help:"Drop the record even when the fault cannot be taken away."`
}

// Run takes the active fault away. Nothing to do is no failure.
func (c stopCommand) Run(ctx context.Context, out command.Output) error {
	r, err := runner.Resume(c.StackFile)
	if err == nil {
		defer r.Close()
		fmt.Fprintf(out.Out, "taking away the fault of %s\n", r.Active().Experiment)
		err = r.Restore(ctx)
	}
	switch {
	case errors.Is(err, runner.ErrNothingActive):
		fmt.Fprintln(out.Out, "no experiment is active")
		return nil
	case err == nil:
		fmt.Fprintln(out.Out, "nothing is left of it")
		return nil
	case !c.All:
		return err
	}
	if dropErr := runner.Forget(c.StackFile); dropErr != nil {
		return errors.Join(err, dropErr)
	}
	return fmt.Errorf("the record was dropped, and what there was of the fault may still be there: %w", err)
}

type statusCommand struct {
	stackFlag
	JSON bool `help:"Print the whole record as JSON; null when no experiment is active."`
}

// Run prints what is active.
func (c statusCommand) Run(ctx context.Context, out command.Output) error {
	status, err := runner.ReadStatus(ctx, c.StackFile)
	if errors.Is(err, runner.ErrNothingActive) {
		if c.JSON {
			_, err = fmt.Fprintln(out.Out, "null")
		} else {
			_, err = fmt.Fprintln(out.Out, "no experiment is active")
		}
		return err
	}
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(out.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(status)
	}
	printStatus(out, status)
	return nil
}

func printStatus(out command.Output, status runner.Status) {
	record := status.Record
	fmt.Fprintf(out.Out, "experiment  %s (%s)\n", record.Experiment, record.Fault)
	fmt.Fprintf(out.Out, "injected    %s (%s ago)\n", record.InjectedAt.Format(time.RFC3339), time.Since(record.InjectedAt).Round(time.Second))
	window := "until " + record.ExpiresAt.Format(time.RFC3339)
	if status.Expired {
		window = "over; `chaos stop` takes away what is left"
	}
	fmt.Fprintf(out.Out, "window      %s\n", window)
	switch {
	case status.Presence == nil:
		fmt.Fprintf(out.Out, "fault       unknown: %s\n", status.Unknown)
	default:
		fmt.Fprintf(out.Out, "fault       %s\n", status.Presence.Detail)
	}
}
