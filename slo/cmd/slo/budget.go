package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/slo/budget"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/policy"
	"github.com/faultline-lab/faultline/slo/profile"
)

type budgetCommand struct {
	prometheusFlags
	Files   []string     `arg:"" name:"file" optional:"" help:"OpenSLO files, or folders of them. Without any: Faultline's own."`
	SLO     []string     `name:"slo" placeholder:"NAME" help:"Only this SLO. May be repeated."`
	Profile string       `default:"demo" enum:"demo,production" help:"Window profile: demo or production, as slo profiles lists them."`
	Policy  string       `type:"path" placeholder:"FILE" help:"Error-budget policy. Default: the built-in one (slo/policy/default.yaml)."`
	FailOn  policy.Level `enum:",cautious,freeze" default:"" placeholder:"LEVEL" help:"Exit code 1 also when the policy of any SLO is cautious (or freeze)."`
	Output  string       `short:"o" enum:"table,json" default:"table" help:"${enum}."`
}

// Help is what -h says below the flags.
func (budgetCommand) Help() string {
	return `A line for each SLO: what is left of the period's budget, bad events so far and how many the whole period may have, how many
times too fast it burns over each window, how long it lasts at the rate of the longest, what the policy says, and how much
of the period was measured. What is not known says so; notes go to standard error, so that the table can be piped.

Exit code: 0 every budget is known, 1 one is not, something failed, or --fail-on holds, 2 wrong usage.

  slo budget                                     of the stack that runs here
  slo budget --slo=checkout -o json | jq .[0].remaining
  slo budget --fail-on=freeze && make release`
}

// Run prints what is left.
func (c budgetCommand) Run(ctx context.Context, out command.Output) error {
	rules, err := policy.Load(c.Policy)
	if err != nil {
		return err
	}
	p, err := profile.Get(c.Profile)
	if err != nil {
		return err
	}
	slos, err := c.chosen()
	if err != nil {
		return err
	}
	stack, err := c.stack()
	if err != nil {
		return err
	}
	prometheus, err := c.client(stack)
	if err != nil {
		return err
	}
	var all []budget.Status
	now := time.Now()
	for _, slo := range slos {
		target := targetOf(slo, p)
		seen, err := budget.Observe(ctx, prometheus, target, now)
		if err != nil {
			return err
		}
		status, err := budget.Assess(target, rules, now, seen)
		if err != nil {
			return err
		}
		all = append(all, status)
	}
	if err := c.write(out, all); err != nil {
		return err
	}
	return c.verdict(all)
}

// chosen are the SLOs that were asked for.
func (c budgetCommand) chosen() ([]model.SLO, error) {
	all, err := load(c.Files)
	if err != nil || len(c.SLO) == 0 {
		return all, err
	}
	var names []string
	chosen := slices.DeleteFunc(slices.Clone(all), func(slo model.SLO) bool {
		names = append(names, slo.Name)
		return !slices.Contains(c.SLO, slo.Name)
	})
	for _, name := range c.SLO {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no SLO %q; there are: %s", name, strings.Join(names, ", "))
		}
	}
	return chosen, nil
}

// targetOf is what a budget needs to know of a promise.
func targetOf(slo model.SLO, p profile.Profile) budget.Target {
	target := budget.Target{
		Name: slo.Name, Workload: slo.Workload, Objective: slo.For(p.Name), Period: p.Period(slo.Period), Windows: p.Windows(),
		ErrorRatio: slo.Indicator.ErrorRatio,
	}
	switch {
	case slo.Indicator.Counted():
		target.Events = func(window time.Duration) (bad, total string) {
			total = slo.Indicator.Events(window)
			return slo.Indicator.BadEvents(window, total), total
		}
		target.Measured = slo.Indicator.Events(p.Shortest())
	case slo.Indicator.Windowed():
		target.Measured = slo.Indicator.ErrorRatio(p.Shortest())
	default:
		_, target.Measured = slo.Indicator.Sample()
	}
	return target
}

func (c budgetCommand) write(out command.Output, all []budget.Status) error {
	for _, status := range all {
		for _, note := range status.Notes {
			if c.Output == "table" {
				fmt.Fprintf(out.Err, "%s: %s\n", status.Name, note)
			}
		}
	}
	if c.Output == "json" {
		return writeJSON(out.Out, all)
	}
	return budget.WriteTable(out.Out, all)
}

func writeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

var errUnknownBudget = errors.New("not every budget is known")

func (c budgetCommand) verdict(all []budget.Status) error {
	var levels []policy.Level
	for _, status := range all {
		if !status.Known() {
			return errUnknownBudget
		}
		levels = append(levels, status.Policy.Level)
	}
	if level := policy.Strictest(levels...); c.FailOn != "" && level.Number() >= c.FailOn.Number() {
		return fmt.Errorf("the error-budget policy is %s", level)
	}
	return nil
}
