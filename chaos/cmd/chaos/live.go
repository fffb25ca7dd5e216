package main

import (
	"context"
	"encoding/json"
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
	Seed       int64         `help:"Decides what is left to chance: the moment within a second, and what the fault picks. 0 begins on the second."`
	Keep       bool          `help:"Leave the fault where it is at the end, for 15 min at most; chaos stop takes it away."`
	Beside     bool          `help:"Run beside other experiments that are active, without waiting for a steady state."`
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
		Experiment: e, StackFile: c.StackFile, Duration: c.Duration, Keep: c.Keep, Seed: c.Seed, Beside: c.Beside,
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

type statusCommand struct {
	stackFlag
	JSON bool `help:"Print the whole records as a JSON list."`
}

// Run prints what is active.
func (c statusCommand) Run(ctx context.Context, out command.Output) error {
	all, err := runner.ReadStatus(ctx, c.StackFile)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(out.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(all)
	}
	if len(all) == 0 {
		fmt.Fprintln(out.Out, "no experiment is active")
	}
	for _, status := range all {
		printStatus(out, status)
	}
	return nil
}

func printStatus(out command.Output, status runner.Status) {
	record := status.Record
	fmt.Fprintf(out.Out, "experiment  %s (%s, seed %d)\n", record.Experiment, record.Fault, record.Seed)
	fmt.Fprintf(out.Out, "id          %s\n", record.ID)
	fmt.Fprintf(out.Out, "injected    %s (%s ago)\n", record.InjectedAt.Format(time.RFC3339), time.Since(record.InjectedAt).Round(time.Second))
	window := "until " + record.ExpiresAt.Format(time.RFC3339)
	if status.Expired {
		window = "over; `chaos stop` takes away what is left, and its keeper does at " + record.GoneBy.Format(time.RFC3339)
	}
	fmt.Fprintf(out.Out, "window      %s\n", window)
	switch {
	case status.Presence == nil:
		fmt.Fprintf(out.Out, "fault       unknown: %s\n", status.Unknown)
	default:
		fmt.Fprintf(out.Out, "fault       %s\n", status.Presence.Detail)
	}
}
