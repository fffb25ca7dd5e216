package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/e2e/stackrun"
	"github.com/faultline-lab/faultline/e2e/story"
	"github.com/faultline-lab/faultline/e2e/studylock"
	"github.com/faultline-lab/faultline/e2e/trial"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// demo is one trial from the stack's start to the postmortem. It says whether the client recovered.
func demo(ctx context.Context, opts options, stdout io.Writer) (recovered bool, err error) {
	arm, err := trial.ParseArm(opts.Arm)
	if err != nil {
		return false, err
	}
	experiment, err := experiments.Find(opts.Experiment)
	if err != nil {
		return false, err
	}
	paths, err := opts.folders()
	if err != nil {
		return false, err
	}
	release, err := studylock.Acquire(paths.Root, "make demo")
	if err != nil {
		return false, err
	}
	defer release()

	fmt.Fprintln(stdout, "Faultline: an order platform that breaks on purpose, heals itself, and proves it with numbers.")
	stack, err := bringUp(ctx, opts, paths.Root, stdout)
	if err != nil {
		return false, err
	}
	defer func() { err = joinStop(err, stack.Stop(), stdout, stack.Owned) }()

	teller := story.New(story.Config{Out: stdout, Live: isTerminal(stdout), Colour: isTerminal(stdout) && os.Getenv("NO_COLOR") == ""})
	fmt.Fprintln(stdout)
	result, err := trial.Run(ctx, trial.Config{
		StackFile: paths.Stack, Experiment: experiment, Arm: arm, Seed: opts.Seed, Window: opts.Window, OnEvent: teller.Tell,
	})
	if err != nil {
		return false, err
	}
	file := filepath.Join(paths.Root, ".faultline", "last-trial.json")
	if err := result.Save(file); err != nil {
		return false, err
	}
	fmt.Fprintf(stdout, "\n%s\nRecord: %s\n", story.Ending(result), relative(file))
	if err := writePostmortem(ctx, stdout, paths, result); err != nil {
		return false, err
	}
	where(ctx, stdout, stack.Stack)
	if !opts.Once {
		stay(ctx, stdout, stack)
	}
	return result.Recovered == nil || *result.Recovered, nil
}

func (o options) folders() (folders.Folders, error) {
	root := o.Root
	if root == "" {
		var err error
		if root, err = folders.FindRoot("."); err != nil {
			return folders.Folders{}, err
		}
	}
	return folders.In(root)
}

// bringUp chooses the target, says so, and gives a stack that is ready.
func bringUp(ctx context.Context, opts options, root string, stdout io.Writer) (*stackrun.Handle, error) {
	target, why, err := stackrun.Choose(ctx, root, opts.Target)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(stdout, "Target: %s (%s).\n\n", map[string]string{
		endpoints.Local: "local processes on this machine", endpoints.Kind: "a kind cluster on this machine",
	}[target], why)
	return stackrun.Ensure(ctx, stackrun.Config{Root: root, Target: target, Progress: stdout})
}

// joinStop ends the stack that was started for the demo and says so.
func joinStop(err, stopErr error, stdout io.Writer, owned bool) error {
	if stopErr != nil {
		return fmt.Errorf("%w; stopping the stack: %w", err, stopErr)
	}
	if owned {
		fmt.Fprintln(stdout, "The stack has ended; nothing of it runs any more.")
	}
	return err
}

// stay keeps the stack up for whoever wants to look around.
func stay(ctx context.Context, stdout io.Writer, stack *stackrun.Handle) {
	if stack.Stack.Target == endpoints.Kind {
		fmt.Fprintln(stdout, "The cluster stays up for you to look around, and for the next time; 'make down' removes it.")
		return
	}
	if !stack.Owned {
		fmt.Fprintln(stdout, "The stack that 'make up' started stays up; 'make down' ends it.")
		return
	}
	fmt.Fprintln(stdout, "The stack stays up for you to look around. Ctrl-C ends it.")
	select {
	case <-ctx.Done():
	case <-stack.Ended():
	}
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
