package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/e2e/dose"
	"github.com/faultline-lab/faultline/e2e/stackrun"
	"github.com/faultline-lab/faultline/e2e/study"
	"github.com/faultline-lab/faultline/e2e/studylock"
	"github.com/faultline-lab/faultline/e2e/trial"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// setup is everything that can be wrong before anything is started.
type setup struct {
	paths       folders.Folders
	plan        []study.Trial
	experiments map[string]experiment.Experiment
	objectives  study.Objectives
	out         string
}

func prepare(flags options) (setup, error) {
	if flags.N < 1 {
		return setup{}, fmt.Errorf("--n=%d: at least one trial", flags.N)
	}
	for _, name := range flags.Arms {
		if _, err := trial.ParseArm(name); err != nil {
			return setup{}, err
		}
	}
	s := setup{experiments: map[string]experiment.Experiment{}}
	names, err := chosen(flags.Experiments)
	if err != nil {
		return setup{}, err
	}
	for _, name := range names {
		if s.experiments[name], err = experiments.Find(name); err != nil {
			return setup{}, err
		}
	}
	s.plan = study.Plan(names, flags.Arms, flags.N, flags.Seed)
	root := flags.Root
	if root == "" {
		if root, err = folders.FindRoot("."); err != nil {
			return setup{}, err
		}
	}
	if s.paths, err = folders.In(root); err != nil {
		return setup{}, err
	}
	file := flags.Objectives
	if file == "" {
		file = filepath.Join(root, "e2e", "objectives.yaml")
	}
	if s.objectives, err = study.LoadObjectives(file); err != nil {
		return setup{}, err
	}
	s.out = flags.Out
	if s.out == "" {
		s.out = filepath.Join(root, ".faultline", "mttr", time.Now().UTC().Format("20060102T150405Z"))
	}
	return s, nil
}

// everything stands for all experiments of `chaos list`.
const everything = "all"

// chosen are the experiments that were asked for.
func chosen(asked []string) ([]string, error) {
	if len(asked) == 1 && asked[0] == everything {
		return experiments.Names()
	}
	return asked, nil
}

// stackFlags are those of a stack that is started for this study.
func (o options) stackFlags() []string {
	var flags []string
	if o.PoolSize != 0 {
		flags = append(flags, fmt.Sprintf("--pool-size=%d", o.PoolSize))
	}
	if o.Rate != 0 {
		flags = append(flags, fmt.Sprintf("--rate=%d", o.Rate))
	}
	for _, flag := range o.HealerFlags {
		flags = append(flags, "--healer-flag="+flag)
	}
	return flags
}

// start gives the study its stack. One that is there already has its own sizes, and another cannot be asked for.
func start(ctx context.Context, s setup, flags options, stderr io.Writer) (*stackrun.Handle, error) {
	target, why, err := stackrun.Choose(ctx, s.paths.Root, flags.Target)
	if err != nil {
		return nil, err
	}
	own := flags.stackFlags()
	if target == endpoints.Kind && len(own) > 0 {
		return nil, fmt.Errorf("%v are for a local stack: give --target=local", own)
	}
	fmt.Fprintf(stderr, "target %s (%s)\n", target, why)
	stack, err := stackrun.Ensure(ctx, stackrun.Config{Root: s.paths.Root, Target: target, Args: own, Progress: stderr})
	if err == nil && !stack.Owned && len(own) > 0 {
		err = fmt.Errorf("%v are for a stack that this study starts, and one runs already: `make down` first", own)
	}
	return stack, err
}

// fit gives every experiment the dose for the shop that runs.
func (s setup) fit(ctx context.Context, stack endpoints.Stack, progress io.Writer) error {
	shop, err := dose.Measure(ctx, stack)
	if err != nil {
		return err
	}
	fmt.Fprintf(progress, "the shop has %d connections in the pools of orders, and %d checkouts/s come\n", shop.Connections, shop.Rate)
	for name, e := range s.experiments {
		if s.experiments[name], err = dose.Fit(e, shop); err != nil {
			return err
		}
	}
	return nil
}

func measure(ctx context.Context, flags options, stdout, stderr io.Writer) error {
	s, err := prepare(flags)
	if err != nil {
		return err
	}
	release, err := studylock.Acquire(s.paths.Root, "make mttr")
	if err != nil {
		return err
	}
	defer release()
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	stack, err := start(ctx, s, flags, stderr)
	if err != nil {
		return err
	}
	if err := s.fit(ctx, stack.Stack, stderr); err != nil {
		return errors.Join(err, stack.Stop())
	}
	results := s.trials(ctx, stderr)
	err = errors.Join(stack.Stop(), s.report(stack.Stack.Target, results, stdout))
	if stack.Stack.Target == endpoints.Kind {
		fmt.Fprintln(stderr, "the cluster stays up for the next time; `make down` removes it")
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted after %d of %d trials", len(results), len(s.plan))
	}
	return err
}

// trials runs the plan. A trial that breaks off is a result too, and the next one goes on.
func (s setup) trials(ctx context.Context, progress io.Writer) []study.Result {
	var results []study.Result
	started := time.Now()
	for i, planned := range s.plan {
		record, err := trial.Run(ctx, trial.Config{
			StackFile: s.paths.Stack, Experiment: s.experiments[planned.Experiment], Arm: trial.Arm(planned.Arm), Seed: planned.Seed,
		})
		if ctx.Err() != nil {
			return results
		}
		if err == nil {
			err = record.Save(filepath.Join(s.out, fmt.Sprintf("trial-%02d-%s-%s.json", i+1, record.Experiment, planned.Arm)))
		}
		result := study.Result{Trial: planned, Record: record}
		if err != nil {
			result.Error = err.Error()
		}
		results = append(results, result)
		left := time.Since(started) / time.Duration(i+1) * time.Duration(len(s.plan)-i-1)
		fmt.Fprintf(progress, "%2d of %d  %s  (about %s left)\n", i+1, len(s.plan), study.Line(result), left.Round(time.Second))
	}
	return results
}

// report writes results and table, and holds them against the objectives.
func (s setup) report(target string, results []study.Result, stdout io.Writer) error {
	rows := study.Summarise(results)
	table := fmt.Sprintf("Target: %s\n\n%s", target, study.Table(rows))
	data, err := json.MarshalIndent(struct {
		Target  string         `json:"target"`
		Rows    []study.Row    `json:"rows"`
		Results []study.Result `json:"results"`
	}{target, rows, results}, "", "  ")
	if err != nil {
		return err
	}
	if err := errors.Join(
		os.WriteFile(filepath.Join(s.out, "results.json"), append(data, '\n'), 0o644),
		os.WriteFile(filepath.Join(s.out, "table.md"), []byte(table), 0o644),
	); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s\nRaw results: %s\n", table, s.out)
	if len(s.objectives[target]) == 0 {
		fmt.Fprintf(stdout, "No objectives for target %s: nothing but completeness was checked.\n", target)
	}
	missed := s.objectives.Missed(target, rows)
	for _, sentence := range missed {
		fmt.Fprintf(stdout, "MISSED %s\n", sentence)
	}
	if len(missed) > 0 {
		return errMissed
	}
	return nil
}
