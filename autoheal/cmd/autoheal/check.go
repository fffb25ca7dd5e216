package main

import (
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/diagnose"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/remedy"
	"github.com/faultline-lab/faultline/observability/command"
)

type checkCommand struct {
	Playbook string `arg:"" optional:"" help:"The playbook's YAML file; without it, the built-in playbook is shown."`
}

// known is what playbooks may speak of in this build.
func known() playbook.Known {
	k := playbook.Known{Remedies: []string{remedy.RestartReplicasName}, Harmful: guard.Harmful}
	for cause := range diagnose.Causes() {
		k.Causes = append(k.Causes, cause)
	}
	return k
}

// Run prints the ladders as they would be climbed.
func (c checkCommand) Run(to command.Output) error {
	book, err := playbook.Load(c.Playbook, known())
	if err != nil {
		return err
	}
	for _, cause := range book.Causes() {
		fmt.Fprintf(to.Out, "%s\n", cause)
		for i, r := range book.Ladder(cause) {
			fmt.Fprintf(to.Out, "  %d. %s, at most %s for one replica; proved by %d good readings in a row within %s\n", i+1, r.Remedy,
				r.Timeout, r.Readings, r.Within)
		}
	}
	fmt.Fprintf(to.Out, "%s: no ladder, a person gets it after two looks (%s or more apart)\n", incident.Inconclusive,
		400*time.Millisecond)
	return nil
}
