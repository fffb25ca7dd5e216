package main

import (
	"context"
	"io"
	"time"

	"github.com/faultline-lab/faultline/observability/command"
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

// options are all flags and arguments.
type options struct {
	Stack string `help:"File that says where the running stack answers (default: ${default})." default:".faultline/run/stack.json" env:"FAULTLINE_STACK" placeholder:"FILE"`
	Dir   string `help:"Folder of the written reports (default: ${default})." default:".faultline/postmortems" env:"FAULTLINE_POSTMORTEMS" placeholder:"DIR"`

	Autoheal   string `help:"Address of autoheal; the stack's by default." env:"FAULTLINE_AUTOHEAL_URL" placeholder:"URL"`
	Prometheus string `help:"Address of Prometheus; the stack's by default." env:"FAULTLINE_PROMETHEUS_URL" placeholder:"URL"`
	Jaeger     string `help:"Address of Jaeger; the stack's by default." env:"FAULTLINE_JAEGER_URL" placeholder:"URL"`
	Loki       string `help:"Address of Loki; the stack's by default." env:"FAULTLINE_LOKI_URL" placeholder:"URL"`

	Write writeCommand `cmd:"" help:"Write the report of one incident and print the file's name."`
	List  listCommand  `cmd:"" help:"List the incidents that autoheal has, and the reports written so far."`
}

// writeCommand is `postmortem write`.
type writeCommand struct {
	Incident string `arg:"" help:"Id of an incident, \"latest\", or a JSON file (*.json) with the record."`
	Out      string `help:"File to write, - for stdout; by default a file in --dir named after time and id." short:"o" placeholder:"FILE"`

	ScrapeInterval  time.Duration `help:"How often Prometheus scrapes: the finest resolution of the report (default: ${default})." placeholder:"DURATION" default:"1s" env:"FAULTLINE_SCRAPE_INTERVAL"`
	Objective       float64       `help:"Share of checkouts that the SLO wants good; the error budget is the rest (default: ${default})." placeholder:"SHARE" default:"0.99" env:"FAULTLINE_OBJECTIVE"`
	ObjectiveWindow time.Duration `help:"Period of the error budget (default: ${default})." placeholder:"DURATION" default:"720h" env:"FAULTLINE_OBJECTIVE_WINDOW"`
}

// listCommand is `postmortem list`.
type listCommand struct{}

// run is the program without its exit.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	program := command.Program{Name: "postmortem", Description: description}
	return program.Dispatch(ctx, &options{}, args, stdout, stderr)
}

// usage is a mistake on the command line that the flags' types do not catch.
func usage(err error) error { return &command.UsageError{Err: err} }
