package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/postmortems/report"
)

// Run shows what can be written about and what has been. Without autoheal it shows the written reports alone, and says
// so.
func (listCommand) Run(ctx context.Context, opts *options, out command.Output) error {
	written, err := reports(opts.Dir)
	if err != nil {
		return err
	}
	incidents, err := incidents(ctx, *opts)
	if err != nil {
		if len(written) == 0 {
			return err
		}
		fmt.Fprintf(out.Err, "only the written reports: %v\n", err)
	}
	if len(incidents) == 0 && len(written) == 0 {
		fmt.Fprintln(out.Out, "no incident and no report yet")
		return nil
	}
	table := tabwriter.NewWriter(out.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "INCIDENT\tFIRST ALERT (UTC)\tSTATE\tCAUSE\tWORKLOAD\tREPORT")
	for _, in := range incidents {
		name, file := fileName(in), "-"
		if i := slices.Index(written, name); i >= 0 {
			file = filepath.Join(opts.Dir, name)
			written = slices.Delete(written, i, i+1)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", in.ID, report.Zero(in).UTC().Format("2006-01-02 15:04:05"),
			state(in), orDash(string(in.Diagnosis.Cause)), orDash(in.Workload), file)
	}
	for _, name := range written {
		fmt.Fprintf(table, "-\t-\t-\t-\t-\t%s\n", filepath.Join(opts.Dir, name))
	}
	return table.Flush()
}

func incidents(ctx context.Context, opts options) ([]incident.Incident, error) {
	at, err := resolve(opts)
	if err != nil {
		return nil, err
	}
	api, err := at.api()
	if err != nil {
		return nil, err
	}
	return api.Incidents(ctx)
}

// reports are the names of the reports in the folder, newest first; a folder that is not there holds none.
func reports(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the folder of reports: %w (name another with --dir)", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.Type().IsRegular() && filepath.Ext(entry.Name()) == ".md" && entry.Name() != "README.md" {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	slices.Reverse(names)
	return names, nil
}

func state(in incident.Incident) string {
	if in.Outcome == "" {
		return string(in.State)
	}
	return string(in.State) + ", " + string(in.Outcome)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
