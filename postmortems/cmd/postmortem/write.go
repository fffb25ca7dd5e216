package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/postmortems/record"
	"github.com/faultline-lab/faultline/postmortems/report"
)

const latest = "latest"

// Run makes one report.
func (c *writeCommand) Run(ctx context.Context, opts *options, out command.Output) error {
	if c.Objective <= 0 || c.Objective >= 1 {
		return usage(errors.New("--objective must lie between 0 and 1, for example 0.99"))
	}
	if c.ObjectiveWindow <= 0 || c.ScrapeInterval <= 0 {
		return usage(errors.New("--objective-window and --scrape-interval must be longer than 0"))
	}
	at, err := resolve(*opts)
	if err != nil {
		return err
	}
	in, err := read(ctx, at, c.Incident)
	if err != nil {
		return err
	}
	gatherer, err := at.gatherer(c.ScrapeInterval)
	if err != nil {
		return err
	}
	in.Telemetry = gatherer.Around(ctx, in.Incident)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("stopped before the report was written: %w", err)
	}
	in.WrittenAt = time.Now()
	in.Objective = report.Objective{Target: c.Objective, Window: c.ObjectiveWindow}
	text, err := report.Render(in)
	if err != nil {
		return err
	}
	tellGaps(out.Err, in)
	if c.Out == "-" {
		_, err := out.Out.Write(text)
		return err
	}
	path := c.Out
	if path == "" {
		path = filepath.Join(opts.Dir, fileName(in.Incident))
	}
	if err := save(path, text); err != nil {
		return err
	}
	fmt.Fprintln(out.Out, path)
	return nil
}

// read finds the incident and its audit. The audit may be unknown; the incident may not.
func read(ctx context.Context, at addresses, which string) (report.Input, error) {
	var in report.Input
	if strings.HasSuffix(which, ".json") {
		var err error
		in.Incident, err = record.File(which)
		in.Record = report.Provenance{Source: "file", Query: filepath.Base(which)}
		in.AuditFrom = report.Provenance{Source: "file", Query: filepath.Base(which), Unknown: "the incident was read from a file, which holds no audit"}
		return in, err
	}
	api, err := at.api()
	if err != nil {
		return in, err
	}
	if which == latest {
		in.Incident, err = api.Latest(ctx)
	} else {
		in.Incident, err = api.Incident(ctx, which)
	}
	if err != nil {
		return in, err
	}
	id := in.Incident.ID
	in.Record = report.Provenance{Source: "autoheal", Query: "GET " + record.Path(id)}
	in.AuditFrom = report.Provenance{Source: "autoheal", Query: "GET " + record.AuditPath(id)}
	if in.Audit, err = api.Audit(ctx, id); err != nil {
		in.AuditFrom.Unknown = err.Error()
	}
	return in, nil
}

// tellGaps says at once what the report will not show: one line per source.
func tellGaps(stderr io.Writer, in report.Input) {
	tel := in.Telemetry
	told := map[string]bool{}
	for _, from := range []report.Provenance{tel.Edge.All, tel.Edge.Fast, tel.Pools.Used, tel.Trace.From, tel.Logs.From} {
		if line := from.Source + " unknown: " + from.Unknown; !from.Known() && !told[line] {
			told[line] = true
			fmt.Fprintln(stderr, line)
		}
	}
}

var unsafeInNames = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// fileName is the report's name within the folder; an id from outside cannot lead out of it.
func fileName(in incident.Incident) string {
	return report.Zero(in).UTC().Format("2006-01-02T150405Z") + "-" + strings.Trim(unsafeInNames.ReplaceAllString(in.ID, "-"), "-") + ".md"
}

// save replaces the file in one step, so that nobody reads half a report.
func save(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("the report's folder: %w (name another with --dir or --out)", err)
	}
	next, err := os.CreateTemp(filepath.Dir(path), ".postmortem-*")
	if err != nil {
		return fmt.Errorf("write the report: %w (name another place with --dir or --out)", err)
	}
	defer func() { _ = os.Remove(next.Name()) }() // finds nothing once it has been renamed
	_, err = next.Write(text)
	if err == nil {
		err = next.Chmod(0o644)
	}
	if closed := next.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(next.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
