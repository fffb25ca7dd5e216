package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/api"
	"github.com/faultline-lab/faultline/autoheal/correlate"
	"github.com/faultline-lab/faultline/autoheal/guard"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/playbook"
	"github.com/faultline-lab/faultline/autoheal/replay"
	"github.com/faultline-lab/faultline/autoheal/store"
	"github.com/faultline-lab/faultline/observability/command"
)

// exitDifferent is the code of a replay that comes out otherwise.
const exitDifferent = 3

type replayCommand struct {
	running
	Store string `env:"-" help:"Read a healer's SQLite file instead."`
	File  string `env:"-" help:"Read a file of records instead: what 'autoheal incidents --json' or 'autoheal show --json' prints."`

	Playbook       string        `env:"-" help:"Judge by this playbook; by the built-in one without it."`
	Dependencies   string        `env:"-" help:"Map of workloads (YAML), as the healer had it. Built-in by default."`
	ScrapeInterval time.Duration `default:"1s" help:"How often Prometheus scraped when the evidence was gathered."`
	Since          time.Duration `default:"720h" help:"How far back to look."`
	IDs            []string      `arg:"" optional:"" name:"id" help:"Only these incidents; all without any."`
}

// Help says what the codes mean.
func (replayCommand) Help() string {
	return `Diagnoses the recorded evidence of past incidents again, chooses remedy and targets again, and compares that with what was recorded.
Acts on nothing. With --playbook it shows what another playbook would have made of them, each round judged by what had happened until then.

Exit codes: 0 all came out the same, 3 something came out otherwise, 1 the records cannot be read, 2 wrong usage.`
}

// Run prints a line for each incident, and what differs.
func (c replayCommand) Run(ctx context.Context, to command.Output) error {
	book, err := playbook.Load(c.Playbook, known(guard.Defaults(guard.Act)))
	if err != nil {
		return err
	}
	dependencies, err := correlate.Load(c.Dependencies)
	if err != nil {
		return err
	}
	again, err := replay.New(replay.Config{
		Playbook: book, Another: c.Playbook != "", Map: dependencies, ScrapeInterval: c.ScrapeInterval, Harmful: guard.Harmful,
	})
	if err != nil {
		return err
	}
	incidents, err := c.chosen(ctx)
	if err != nil {
		return err
	}
	reports := []replay.Report{}
	for _, in := range incidents {
		report, err := again.Replay(in)
		if err != nil {
			return err
		}
		reports = append(reports, report)
	}
	if err := c.print(to, reports); err != nil {
		return err
	}
	if slices.ContainsFunc(reports, func(r replay.Report) bool { return !r.Same }) {
		return &command.ChildError{Code: exitDifferent, Err: errors.New("not all came out as recorded")}
	}
	return nil
}

func (c replayCommand) print(to command.Output, reports []replay.Report) error {
	if c.JSON {
		return json.NewEncoder(to.Out).Encode(map[string]any{"incidents": reports})
	}
	if len(reports) == 0 {
		fmt.Fprintf(to.Out, "no incidents within %s\n", c.Since)
	}
	for _, r := range reports {
		fmt.Fprintln(to.Out, r)
	}
	return nil
}

// chosen are the incidents that were asked for; one that is not there is an error.
func (c replayCommand) chosen(ctx context.Context) ([]incident.Incident, error) {
	all, err := c.read(ctx, time.Now().Add(-c.Since))
	if err != nil || len(c.IDs) == 0 {
		return all, err
	}
	var chosen []incident.Incident
	for _, id := range c.IDs {
		i := slices.IndexFunc(all, func(in incident.Incident) bool { return in.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("incident %s is not among the %d that were read: look further back with --since", id, len(all))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

func (c replayCommand) read(ctx context.Context, since time.Time) ([]incident.Incident, error) {
	switch {
	case c.Store != "" && c.File != "":
		return nil, &command.UsageError{Err: errors.New("--store and --file both say where the records are: give one of them")}
	case c.File != "":
		return readFile(c.File)
	case c.Store == "":
		var list api.List
		_, err := c.get(ctx, "/api/v1/incidents?since="+url.QueryEscape(since.UTC().Format(time.RFC3339)), &list)
		return list.Incidents, err
	}
	if _, err := os.Stat(c.Store); errors.Is(err, fs.ErrNotExist) { // a store that is opened is made
		return nil, fmt.Errorf("--store: %w", err)
	}
	s, err := store.Open(ctx, store.Config{Path: c.Store})
	if err != nil {
		return nil, err
	}
	incidents, err := s.List(ctx, since)
	return incidents, errors.Join(err, s.Close())
}

// readFile takes a list of records, or one record.
func readFile(path string) ([]incident.Incident, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--file: %w", err)
	}
	var list api.List
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("--file: %s: these are no records: %w", path, err)
	}
	if list.Incidents != nil {
		return list.Incidents, nil
	}
	var one incident.Incident
	if err := json.Unmarshal(data, &one); err != nil || one.ID == "" {
		return nil, fmt.Errorf("--file: %s holds neither {\"incidents\":[...]} nor one record with an id", path)
	}
	return []incident.Incident{one}, nil
}
