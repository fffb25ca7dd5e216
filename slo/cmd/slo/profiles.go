package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/profile"
)

type profilesCommand struct{}

// Run prints a row for each pair of windows.
func (profilesCommand) Run(out command.Output) error {
	table := tabwriter.NewWriter(out.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROFILE\tSEVERITY\tBURN RATE\tLONG WINDOW\tSHORT WINDOW\tFASTER THAN LIFE")
	for _, name := range profile.Names() {
		p, err := profile.Get(name)
		if err != nil {
			return err
		}
		for _, alert := range p.Alerts {
			for _, pair := range alert.Pairs {
				fmt.Fprintf(table, "%s\t%s\t%gx\t%s\t%s\t%dx\n", p.Name, alert.Severity, pair.BurnRate,
					model.Duration(pair.Long), model.Duration(pair.Short), p.Faster)
			}
		}
	}
	return table.Flush()
}
