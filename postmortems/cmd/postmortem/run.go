package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kong"
)

const description = `Write the report of an incident: what happened, what it cost clients, why, what was done, and whether it helped.

The incident comes from autoheal (an id, or "latest") or from a JSON file with its record. What the report shows of the
time around it comes from Prometheus, Jaeger and Loki; each figure is cited with its query. A source that does not answer is
said to be unknown in the report, and stops nothing.

Where everything answers is read from the running stack's file (--stack); an address given by flag comes first, so that
the command also works on another cluster. Examples:

  postmortem write latest
  postmortem write inc-7 --out - | less
  postmortem write incident.json --prometheus http://prometheus.example:9090
  postmortem list`

// errUsage marks an error of the command line: exit code 2.
var errUsage = errors.New("see postmortem -h")

// options are all flags and arguments.
type options struct {
	Stack string `help:"File that says where the running stack answers (default: ${default})." default:".faultline/run/stack.json" env:"FAULTLINE_STACK" placeholder:"FILE"`
	Dir   string `help:"Folder of the written reports (default: ${default})." default:".faultline/postmortems" env:"FAULTLINE_POSTMORTEMS" placeholder:"DIR"`

	Autoheal   string `help:"Address of autoheal; the stack's by default." env:"FAULTLINE_AUTOHEAL_URL" placeholder:"URL"`
	Prometheus string `help:"Address of Prometheus; the stack's by default." env:"FAULTLINE_PROMETHEUS_URL" placeholder:"URL"`
	Jaeger     string `help:"Address of Jaeger; the stack's by default." env:"FAULTLINE_JAEGER_URL" placeholder:"URL"`
	Loki       string `help:"Address of Loki; the stack's by default." env:"FAULTLINE_LOKI_URL" placeholder:"URL"`

	Write struct {
		Incident string `arg:"" help:"Id of an incident, \"latest\", or a JSON file (*.json) with the record."`
		Out      string `help:"File to write, - for stdout; by default a file in --dir named after time and id." short:"o" placeholder:"FILE"`

		ScrapeInterval  time.Duration `help:"How often Prometheus scrapes: the finest resolution of the report (default: ${default})." placeholder:"DURATION" default:"1s" env:"FAULTLINE_SCRAPE_INTERVAL"`
		Objective       float64       `help:"Share of checkouts that the SLO wants good; the error budget is the rest (default: ${default})." placeholder:"SHARE" default:"0.99" env:"FAULTLINE_OBJECTIVE"`
		ObjectiveWindow time.Duration `help:"Period of the error budget (default: ${default})." placeholder:"DURATION" default:"720h" env:"FAULTLINE_OBJECTIVE_WINDOW"`
	} `cmd:"" help:"Write the report of one incident and print the file's name."`
	List struct{} `cmd:"" help:"List the incidents that autoheal has, and the reports written so far."`
}

// run is the whole program. An error that wraps errUsage is a mistake in args.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	opts, command, err := parse(args, stdout, stderr)
	if err != nil || command == "" {
		return err
	}
	if command == "list" {
		return list(ctx, opts, stdout, stderr)
	}
	return write(ctx, opts, stdout, stderr)
}

// parse returns an empty command when -h has been answered.
func parse(args []string, stdout, stderr io.Writer) (opts options, command string, err error) {
	helped := false
	parser, err := kong.New(&opts, kong.Name("postmortem"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		// Kong goes on parsing after the help; what it then finds missing is beside the point.
		kong.Exit(func(int) { helped = true }))
	if err != nil {
		return opts, "", err
	}
	parsed, err := parser.Parse(args)
	switch {
	case helped:
		return opts, "", nil
	case err != nil:
		return opts, "", usage(err)
	}
	if o := opts.Write.Objective; o <= 0 || o >= 1 {
		return opts, "", usage(errors.New("--objective must lie between 0 and 1, for example 0.99"))
	}
	if opts.Write.ObjectiveWindow <= 0 || opts.Write.ScrapeInterval <= 0 {
		return opts, "", usage(errors.New("--objective-window and --scrape-interval must be longer than 0"))
	}
	return opts, parsed.Selected().Name, nil
}

func usage(err error) error { return fmt.Errorf("%w (%w)", err, errUsage) }

// exitCode is 0 for success, 2 for a mistake on the command line, else 1.
func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		return 2
	default:
		return 1
	}
}
