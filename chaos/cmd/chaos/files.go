package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/faultline-lab/faultline/chaos/experiment"
	"github.com/faultline-lab/faultline/chaos/experiments"
	"github.com/faultline-lab/faultline/chaos/fault"
	"github.com/faultline-lab/faultline/observability/command"
)

type listCommand struct{}

// Run prints a table of the experiments that come with the program.
func (listCommand) Run(out command.Output) error {
	all, err := experiments.All()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EXPERIMENT\tFAULT\tALERT\tCAUSE\tHYPOTHESIS")
	for _, e := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", e.Name, e.Fault.Kind,
			orNone(e.Expect.Alert), orNone(e.Expect.Cause), oneLine(e.Hypothesis.Text))
	}
	return table.Flush()
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// oneLine folds a text into one line of at most 100 characters.
func oneLine(text string) string {
	words := strings.Fields(text)
	line := strings.Join(words, " ")
	if runes := []rune(line); len(runes) > 100 {
		return string(runes[:97]) + "..."
	}
	return line
}

type showCommand struct {
	Experiment string `arg:"" help:"Name of an experiment, or a file."`
}

// Run prints the file, once it is known to be a good one.
func (c showCommand) Run(out command.Output) error {
	e, err := load(c.Experiment)
	if err != nil {
		return err
	}
	_, err = out.Out.Write(e.Source())
	return err
}

type checkCommand struct {
	Files []string `arg:"" name:"file" help:"Names of experiments, or files."`
}

// Run checks every file and reports all of their problems, as file:line:column.
func (c checkCommand) Run(out command.Output) error {
	var problems []error
	for _, file := range c.Files {
		e, err := load(file)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		fmt.Fprintf(out.Out, "%s: ok (%s, %s)\n", file, e.Name, e.Fault.Kind)
	}
	return errors.Join(problems...)
}

// load reads an experiment and checks its fault's parameters too.
func load(nameOrFile string) (experiment.Experiment, error) {
	e, err := experiments.Find(nameOrFile)
	if err != nil {
		return e, err
	}
	return e, fault.Check(e)
}
