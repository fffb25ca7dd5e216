package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/slo/capacity"
	"github.com/faultline-lab/faultline/slo/capacity/postgres"
)

type capacityCommand struct {
	prometheusFlags
	Window  time.Duration `default:"1m" help:"How far back to measure. Load should have been even, and no fault active."`
	Journey string        `default:"${journey}" placeholder:"SELECTOR" help:"Which series of http_server_request_duration_seconds are the requests that are planned for. Default: ${journey}"`
	Pools   string        `default:"${pools}" placeholder:"SELECTOR" help:"Which series of db_client_connection_* are looked at. Default: ${pools}"`

	GoodWithin     time.Duration `default:"500ms" help:"A request is good when it takes no longer than this."`
	GoodShare      float64       `default:"0.95" help:"Share of the requests that must be good."`
	AcquireTimeout time.Duration `default:"400ms" help:"How long a caller waits for a connection before it gives up."`

	DatabaseURL    string `placeholder:"URL" help:"Postgres to ask for its slots and sessions. Default: that of the stack that runs here. A role with pg_read_all_stats sees whose sessions they are."`
	MaxConnections int    `placeholder:"N" help:"The server's max_connections, where nobody may ask it."`
	Reserved       int    `placeholder:"N" help:"Slots of these that pools do not get: superuser_reserved_connections + reserved_connections."`
	OtherSessions  int    `placeholder:"N" help:"Sessions that belong to none of the pools."`

	Rate     float64 `placeholder:"N" help:"Also plan for so many requests a second."`
	Headroom float64 `default:"0.3" help:"Share of the saturation rate that the plan leaves free."`
	Output   string  `short:"o" enum:"markdown,json" default:"markdown" help:"${enum}."`
}

// Help is what -h says below the flags.
func (capacityCommand) Help() string {
	return `A Markdown report (or JSON) from what was measured in the last minute, under load and without a fault: docs/capacity.md says how to
read it. Figures that nobody knows are "unknown", and null in JSON.

Exit code: 0 done, 1 nobody knows when a pool is full, or something failed, 2 wrong usage.

  slo capacity                                   of the stack that runs here
  slo capacity --rate=100 --headroom=0.2         and what 100 requests a second need
  slo capacity -o json | jq .saturation_requests_per_second`
}

// Validate is called by kong.
func (c capacityCommand) Validate() error {
	switch {
	case c.Window < time.Second:
		return fmt.Errorf("--window=%s: give a second or more", c.Window)
	case c.GoodWithin <= 0 || c.AcquireTimeout <= 0:
		return errors.New("--good-within and --acquire-timeout must be positive")
	case !(c.GoodShare > 0 && c.GoodShare < 1):
		return fmt.Errorf("--good-share=%v: give a share between 0 and 1, such as 0.95", c.GoodShare)
	case !(c.Headroom >= 0 && c.Headroom < 1):
		return fmt.Errorf("--headroom=%v: give a share from 0 up to 1, such as 0.3", c.Headroom)
	case c.Rate < 0:
		return fmt.Errorf("--rate=%v: give the requests a second to plan for", c.Rate)
	case c.MaxConnections < 0 || c.Reserved < 0 || c.OtherSessions < 0:
		return errors.New("--max-connections, --reserved and --other-sessions count something: they cannot be negative")
	case c.MaxConnections == 0 && (c.Reserved != 0 || c.OtherSessions != 0):
		return errors.New("--reserved and --other-sessions are taken from --max-connections: give that too")
	case c.MaxConnections != 0 && c.DatabaseURL != "":
		return errors.New("--max-connections says what --database-url would be asked for: give one of them")
	}
	return nil
}

var errNoSaturation = errors.New("no pool's saturation rate is known; the report says why")

// Run prints the report, and fails when it could not say when a pool is full.
func (c capacityCommand) Run(ctx context.Context, out command.Output) error {
	stack, err := c.stack()
	if err != nil {
		return err
	}
	prometheus, err := c.client(stack)
	if err != nil {
		return err
	}
	measured, err := capacity.Measure(ctx, prometheus, capacity.Question{
		Journey: c.Journey, Pools: c.Pools, Window: c.Window, At: time.Now(),
	})
	if err != nil {
		return err
	}
	server, others, err := c.server(ctx, stack, measured.Loads)
	if err != nil {
		return err
	}
	var wish *capacity.Wish
	if c.Rate > 0 {
		wish = &capacity.Wish{Rate: c.Rate, Headroom: c.Headroom}
	}
	promise := capacity.Promise{GoodWithin: c.GoodWithin, AcquireTimeout: c.AcquireTimeout, Share: c.GoodShare}
	report := capacity.NewReport(measured, promise, server, others, wish)
	if err := c.write(out.Out, report); err != nil {
		return err
	}
	if !report.Saturation.Known() {
		return errNoSaturation
	}
	return nil
}

func (c capacityCommand) write(out io.Writer, report capacity.Report) error {
	if c.Output == "json" {
		return writeJSON(out, report)
	}
	_, err := io.WriteString(out, report.Markdown())
	return err
}

// server is nil where neither flag nor stack says whom to ask.
func (c capacityCommand) server(ctx context.Context, stack endpoints.Stack, loads []capacity.Load) (*capacity.Server, []string, error) {
	if c.MaxConnections > 0 {
		return &capacity.Server{MaxConnections: c.MaxConnections, Reserved: c.Reserved, Others: c.OtherSessions}, nil, nil
	}
	url := c.DatabaseURL
	if url == "" {
		url = stack.DatabaseURLs["admin"]
	}
	if url == "" {
		return nil, nil, nil
	}
	slots, err := postgres.Ask(ctx, url)
	if err != nil {
		return nil, nil, fmt.Errorf("%w; --max-connections says it without asking", err)
	}
	server, others := slots.Server(loads)
	return &server, others, nil
}
