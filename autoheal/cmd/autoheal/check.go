package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/observability/command"
)

type checkCommand struct {
	Playbook string `arg:"" optional:"" help:"The playbook's YAML file; without it, the built-in playbook is shown."`
	Explain  string `placeholder:"CAUSE" help:"Show one cause only, with the remedies that are refused for it, and why."`
}

// known is what playbooks may speak of in this build, under the limits that the healer has.
func known(limits guard.Limits) playbook.Known {
	return playbook.Known{
		Causes: incident.Causes(), Remedies: playbook.Remedies(remedy.Known()), Harmful: guard.Harmful, Limits: limits,
	}
}

// Run prints the ladders as they would be climbed. A rung that does harm is an error here: a healer would start with it, and
// refuse it each time.
func (c checkCommand) Run(to command.Output) error {
	about := known(guard.Defaults(guard.Act))
	book, err := playbook.Load(c.Playbook, about)
	if err != nil {
		return err
	}
	if err := errors.Join(book.Warnings...); err != nil {
		return err
	}
	if c.Explain != "" {
		return c.explain(to, book, about)
	}
	for _, cause := range book.Causes() {
		printLadder(to, cause, book.Ladder(cause))
	}
	fmt.Fprintf(to.Out, "%s\n  a person gets it, when six scrapes have not made the picture whole\n", incident.Inconclusive)
	return nil
}

// explain prints one ladder, and what no ladder for this cause may have.
func (c checkCommand) explain(to command.Output, book playbook.Playbook, about playbook.Known) error {
	cause := incident.Cause(c.Explain)
	if !slices.Contains(about.Causes, cause) {
		return &command.UsageError{Err: fmt.Errorf("--explain: unknown cause %q; this healer can name: %s", cause, join(about.Causes))}
	}
	printLadder(to, cause, book.Ladder(cause))
	harms := false
	for _, name := range guard.HarmfulFor(cause) {
		if !harms {
			fmt.Fprintf(to.Out, "  refused by the harm list, whatever a playbook says:\n")
		}
		harms = true
		fmt.Fprintf(to.Out, "  - %s: %s\n", name, guard.Harmful(cause, name))
	}
	return nil
}

func printLadder(to command.Output, cause incident.Cause, ladder []playbook.Rung) {
	fmt.Fprintf(to.Out, "%s\n", cause)
	if len(ladder) == 0 {
		fmt.Fprintf(to.Out, "  the playbook has no ladder for it: a person gets it\n")
	}
	for i, r := range ladder {
		fmt.Fprintf(to.Out, "  %d. %s\n", i+1, strings.Join(sentence(r), "; "))
	}
}

// sentence tells a rung in clauses.
func sentence(r playbook.Rung) []string {
	name := r.Remedy
	var with []string
	for key, value := range r.With {
		with = append(with, key+" "+value)
	}
	if len(with) > 0 {
		slices.Sort(with)
		name += " (" + strings.Join(with, ", ") + ")"
	}
	clauses := []string{
		fmt.Sprintf("%s, at most %s for one target", name, r.Timeout),
		fmt.Sprintf("proved by %d good readings in a row within %s", r.Readings, r.Within),
	}
	if r.Hold.TimeToLive > 0 {
		clauses = append(clauses, fmt.Sprintf("stands while the fault lasts, %s when nobody renews it, and a person gets it after %s",
			r.Hold.TimeToLive, r.Hold.AtMost))
	}
	return append(clauses, tightened(r.Guards)...)
}

func tightened(g playbook.Guards) []string {
	var clauses []string
	if g.Approval {
		clauses = append(clauses, "a person must approve it")
	}
	if g.Cooldown > 0 {
		clauses = append(clauses, fmt.Sprintf("cooldown %s or longer", g.Cooldown))
	}
	if g.Floor > 0 {
		clauses = append(clauses, fmt.Sprintf("%d others or more must serve", g.Floor))
	}
	if g.PerHour > 0 {
		clauses = append(clauses, fmt.Sprintf("only while the hour has fewer than %d actions", g.PerHour))
	}
	return clauses
}

func join(causes []incident.Cause) string {
	var names []string
	for _, cause := range causes {
		names = append(names, string(cause))
	}
	return strings.Join(names, ", ")
}
