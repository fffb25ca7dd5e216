package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/observability/contract"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/slo/lint"
	"github.com/faultline-lab/faultline/slo/model"
	"github.com/faultline-lab/faultline/slo/openslo"
	"github.com/faultline-lab/faultline/slo/profile"
)

type checkCommand struct {
	Files      []string          `arg:"" name:"file" optional:"" help:"OpenSLO files, or folders of them (*.yaml, *.yml). Without any: Faultline's own."`
	Profile    string            `default:"all" enum:"all,demo,production" help:"Window profile to check for: production, demo or all."`
	Interval   time.Duration     `help:"How often Prometheus scrapes. Without it: 1s in the demo profile, 15s in production."`
	Rate       map[string]string `placeholder:"NAME=40/s" help:"Traffic of an SLO, in place of what its file says: events a second, minute (m), hour (h) or day (d)."`
	Prometheus string            `placeholder:"URL" help:"Measure the traffic of the last hour in this Prometheus, in place of what the files say."`
	Contract   string            `default:"faultline" placeholder:"FILE" help:"Telemetry contract to hold the queries against: a file, faultline for our own, or none for somebody else's metrics."`
}

// Help is what -h says below the flags.
func (checkCommand) Help() string {
	var out strings.Builder
	out.WriteString("A finding names the place, the lint and its page. Errors end the command with 1, warnings do not. The lints:\n\n")
	for _, l := range lint.All() {
		fmt.Fprintf(&out, "  %-24s%s\n", l.ID, l.About)
	}
	out.WriteString("\nAn author who knows better says so in the file: metadata.annotations, faultline.dev/accept-<lint>: <why>.")
	return out.String()
}

// intervals are how often the targets of a profile are scraped, when nobody says.
var intervals = map[string]time.Duration{profile.Demo: time.Second, profile.Production: 15 * time.Second}

// Run lints every SLO in every profile.
func (c checkCommand) Run(ctx context.Context, out command.Output) error {
	slos, err := load(c.Files)
	if err != nil {
		return err
	}
	agreed, err := c.contract()
	if err != nil {
		return err
	}
	rates, err := c.rates(ctx, slos)
	if err != nil {
		return err
	}
	var findings []lint.Finding
	for _, slo := range slos {
		for _, name := range c.profiles(slo) {
			p, err := profile.Get(name)
			if err != nil {
				return err
			}
			in := lint.Input{SLO: slo, Profile: p, Interval: c.Interval, Rate: rates[slo.Name], Contract: agreed}
			if in.Interval == 0 {
				in.Interval = intervals[name]
			}
			findings = append(findings, lint.Check(in)...)
		}
	}
	return report(out, slos, lint.Tidy(findings))
}

// profiles are those to check an SLO for. Slices last a minute or longer, so the demo profile is not for them, unless it
// was asked for.
func (c checkCommand) profiles(slo model.SLO) []string {
	if c.Profile != "all" {
		return []string{c.Profile}
	}
	if slo.Indicator.Slice.Window > 0 {
		return []string{profile.Production}
	}
	return profile.Names()
}

func report(out command.Output, slos []model.SLO, findings []lint.Finding) error {
	failures := 0
	for _, f := range findings {
		fmt.Fprintln(out.Out, f)
		if f.Level == lint.Error {
			failures++
		}
	}
	if failures > 0 {
		return fmt.Errorf("%d of %d findings are errors", failures, len(findings))
	}
	fmt.Fprintf(out.Out, "%d promises checked, no error\n", len(slos))
	return nil
}

func (c checkCommand) contract() (*contract.Contract, error) {
	switch c.Contract {
	case "none":
		return nil, nil
	case "faultline":
		agreed, err := contract.Load()
		return &agreed, err
	}
	text, err := os.ReadFile(c.Contract)
	if err != nil {
		return nil, err
	}
	agreed, err := contract.Parse(c.Contract, text)
	return &agreed, err
}

// rates is the traffic of each SLO: what a flag says, else what was measured, else what its file says.
func (c checkCommand) rates(ctx context.Context, slos []model.SLO) (map[string]float64, error) {
	rates := map[string]float64{}
	for _, slo := range slos {
		rates[slo.Name] = slo.Alerting.ExpectedRate
	}
	if c.Prometheus != "" {
		if err := measure(ctx, c.Prometheus, slos, rates); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Rate)) {
		if _, there := rates[name]; !there {
			return nil, fmt.Errorf("--rate: there is no SLO %q; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(rates)), ", "))
		}
		rate, err := openslo.ParseRate(c.Rate[name])
		if err != nil {
			return nil, fmt.Errorf("--rate %s: %w", name, err)
		}
		rates[name] = rate
	}
	return rates, nil
}

// measure replaces the rates by those of the last hour. What has no series was not measured.
func measure(ctx context.Context, url string, slos []model.SLO, rates map[string]float64) error {
	client, err := query.NewPrometheus(query.Config{URL: url})
	if err != nil {
		return err
	}
	for _, slo := range slos {
		if !slo.Indicator.Counted() {
			continue
		}
		rate, err := client.Value(ctx, slo.Indicator.Events(time.Hour), time.Now())
		switch {
		case errors.Is(err, query.ErrNoData):
		case err != nil:
			return fmt.Errorf("traffic of %s: %w", slo.Name, err)
		default:
			rates[slo.Name] = rate
		}
	}
	return nil
}
