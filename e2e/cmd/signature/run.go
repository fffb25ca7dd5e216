package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/e2e/signature/collect"
	"github.com/faultline-lab/faultline/e2e/stackrun"
	"github.com/faultline-lab/faultline/e2e/studylock"
	"github.com/faultline-lab/faultline/e2e/trial"
	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

const description = `Records what Prometheus, Postgres, the workload list, Loki and Jaeger say before a fault and while it is in force, as facts
with their source, question, value and time. docs/evidence.md is made from the recordings.`

// cli is the command line.
type cli struct {
	Record record `cmd:"" help:"Run experiments on the local stack, without the healer, and record each."`
}

// record is the command of that name.
type record struct {
	Experiments []string `arg:"" optional:"" help:"Names of experiments ('chaos list'). Default: all, bad-release last."`
	Seed        int64    `default:"1" help:"Seed of what a run leaves to chance; it is in the recording's name."`
	Out         string   `type:"path" help:"Folder of the recordings. Default: e2e/signature/recorded of the checkout."`
	Root        string   `type:"path" help:"Root of the checkout. Default: the nearest folder upwards with a go.work."`
}

// run is the program without its exit.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	program := command.Program{Name: "signature", Description: description}
	return program.Dispatch(ctx, &cli{}, args, stdout, stderr)
}

// last is the experiment after which two versions of orders have served, which later recordings need not know.
const last = "bad-release"

func (r *record) chosen() ([]experiment.Experiment, error) {
	names := r.Experiments
	if len(names) == 0 {
		all, err := experiments.Names()
		if err != nil {
			return nil, err
		}
		for _, name := range all {
			if name != last {
				names = append(names, name)
			}
		}
		names = append(names, last)
	}
	var chosen []experiment.Experiment
	for _, name := range names {
		found, err := experiments.Get(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, found)
	}
	return chosen, nil
}

// Run records. It uses the stack of the checkout, or starts one that ends with it.
func (r *record) Run(ctx context.Context, out command.Output) (err error) {
	chosen, err := r.chosen()
	if err != nil {
		return err
	}
	if r.Root == "" {
		if r.Root, err = folders.FindRoot("."); err != nil {
			return err
		}
	}
	if r.Out == "" {
		r.Out = filepath.Join(r.Root, "e2e", "signature", "recorded")
	}
	release, err := studylock.Acquire(r.Root, "signature record")
	if err != nil {
		return err
	}
	defer release()
	stack, err := stackrun.Ensure(ctx, stackrun.Config{Root: r.Root, Target: endpoints.Local, Progress: out.Err})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	return r.all(ctx, stack.Stack, chosen, out)
}

// all records one experiment after the other. One that fails does not keep the others from being recorded.
func (r *record) all(ctx context.Context, stack endpoints.Stack, chosen []experiment.Experiment, out command.Output) error {
	control, err := target.Open(stack)
	if err != nil {
		return err
	}
	if err := trial.ScaleHealer(ctx, control, 0); err != nil {
		return err
	}
	defer func() {
		// Also when ctx has ended: a stack without its healer is not as it was.
		_ = trial.ScaleHealer(context.WithoutCancel(ctx), control, 1)
	}()
	collector, err := collect.Open(ctx, stack)
	if err != nil {
		return err
	}
	defer func() { _ = collector.Close(context.WithoutCancel(ctx)) }()
	var failures []error
	for _, e := range chosen {
		if ctx.Err() != nil {
			break
		}
		failures = append(failures, r.one(ctx, collector, e, out))
	}
	return errors.Join(append(failures, ctx.Err())...)
}

func (r *record) one(ctx context.Context, collector *collect.Collector, e experiment.Experiment, out command.Output) error {
	recording, err := collector.Record(ctx, collect.Config{
		StackFile: filepath.Join(r.Root, endpoints.DefaultFile), Experiment: e, Seed: r.Seed,
		Tell: func(text string) { fmt.Fprintf(out.Err, "%s %s\n", time.Now().Format(time.TimeOnly), text) },
	})
	if err != nil {
		return fmt.Errorf("%s: %w", e.Name, err)
	}
	file, err := recording.Save(r.Out)
	if err != nil {
		return err
	}
	fmt.Fprintln(out.Out, file)
	return nil
}
