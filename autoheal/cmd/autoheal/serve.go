package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	rungroup "github.com/oklog/run"

	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/observability/telemetry"
)

type serveCommand struct {
	Listen           string `default:"127.0.0.1:8090" help:"Address of the webhook, the API, /metrics, /livez and /readyz."`
	Store            string `required:"" help:"SQLite file for alerts, incidents and the audit; made when missing. It must not live in the database that is healed."`
	WebhookTokenFile string `required:"" help:"File with the bearer token that Alertmanager must send."`

	APITokenFile string `name:"api-token-file" help:"File with the bearer token that approve, deny, pause and resume must send. Without it they are refused."`

	Target targetFlags `embed:""`

	PrometheusURL    string `default:"http://127.0.0.1:9090" help:"Prometheus, for evidence."`
	DatabaseAdminURL string `required:"" help:"Postgres, straight and not through a proxy, as a role with pg_read_all_stats, pg_signal_backend and pg_use_reserved_connections. The connection is opened early and kept."`
	EdgeMetricsURL   string `default:"http://127.0.0.1:8080/metrics" help:"The edge's own metrics: the only proof of a heal."`
	EdgeWorkload     string `help:"The edge's workload, such as storefront: its ready replicas' metrics are read instead, each by itself. Needed where it has more than one."`

	ProbeURL  string `help:"The checkout, as customers reach it. Where nobody buys while a heal is to be proved, a synthetic order is placed there once a second; without it, such a heal is left to a person."`
	ProbeBody string `default:"{\"customer\":\"synthetic\",\"items\":[{\"sku\":\"SKU-0050\",\"quantity\":1}]}" help:"The synthetic order (JSON), of a customer that the shop knows not to be one: it is a real order."`

	EdgeControl edgeControlFlags `embed:""`

	LokiURL   string `help:"Loki, whose error lines corroborate a diagnosis. Optional: nothing waits for it."`
	JaegerURL string `help:"Jaeger's query API, whose traces of slow and failed orders corroborate a diagnosis. Optional as well."`

	ReleaseWindow  time.Duration `default:"5m" help:"How long a release of a workload is evidence of a rollout: an older one is no news."`
	ScrapeInterval time.Duration `default:"1s" help:"How often Prometheus scrapes the services: the windows of the evidence follow it."`

	Playbook     string `help:"Playbook (YAML): which remedies for which cause. Built-in by default; 'autoheal check' shows it."`
	Notify       string `help:"Who is told (YAML): webhooks and Grafana annotations. Nobody by default; docs/notifications.md has the format."`
	Dependencies string `help:"Map of workloads (YAML): who calls whom. Built-in by default."`

	Autonomy     string        `default:"act" enum:"act,approve,observe" help:"How much the healer may do by itself: ${enum}. With approve, what cannot be taken back is left to people; with observe, everything."`
	AnswerWithin time.Duration `default:"5m" help:"How long a person has to answer what the healer asks. No answer is a no."`
	BudgetPolicy string        `placeholder:"FILE" help:"Error-budget policy (YAML) that holds the healer back when budgets run out; 'default' is the built-in one. Without it, budgets hold nothing back."`
	Cooldown     time.Duration `default:"5m" help:"How long a replica is left alone after a remedy, after success too."`
	Stabilise    time.Duration `default:"10s" help:"How long the edge must stay good after the proof before the incident is closed."`

	Instance         string  `default:"autoheal-1" help:"This process's name in telemetry."`
	ServiceVersion   string  `default:"dev" help:"This program's version in telemetry."`
	TracesURL        string  `help:"OTLP/HTTP base for traces, such as http://127.0.0.1:4318; none by default."`
	LogsURL          string  `help:"OTLP/HTTP address for logs, such as http://127.0.0.1:3100/otlp/v1/logs; none by default."`
	TraceSampleRatio float64 `default:"1" help:"Share of the traces begun here that are kept, above 0 and at most 1. A caller's decision wins, so that a trace is whole or absent."`
	Telemetry        string  `default:"on" enum:"on,off" help:"off runs without spans, metrics and exported logs; only there to measure what they cost."`
	LogLevel         string  `default:"info" enum:"debug,info,warn,error" help:"Least level of log lines: ${enum}."`
}

const (
	drainBound = 2 * time.Second
	flushBound = 3 * time.Second
)

// Validate refuses a share of 0, which would mean all.
func (c serveCommand) Validate() error {
	if !(c.TraceSampleRatio > 0 && c.TraceSampleRatio <= 1) {
		return fmt.Errorf("--trace-sample-ratio is %v: give a number above 0 and at most 1", c.TraceSampleRatio)
	}
	return nil
}

// Run serves until the context ends, then stops in order: HTTP drains, the engine and the admin connection stop,
// telemetry is flushed, the store is closed.
func (c serveCommand) Run(ctx context.Context, to command.Output) (err error) {
	saveMemory()
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return err
	}
	senses, err := telemetry.Start(ctx, telemetry.Config{
		Service: "autoheal", Instance: c.Instance, Version: c.ServiceVersion, TracesURL: c.TracesURL, LogsURL: c.LogsURL,
		LogWriter: to.Out, LogLevel: level, SampleRatio: c.TraceSampleRatio, Off: c.Telemetry == "off",
	})
	if err != nil {
		return err
	}
	defer func() {
		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushBound)
		defer cancel()
		err = errors.Join(err, senses.Shutdown(flush))
	}()
	healer, err := c.assemble(ctx, senses)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, healer.close()) }()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w (is another autoheal running?)", err)
	}
	logger := senses.Logger()
	logger.InfoContext(ctx, "autoheal is listening", "address", listener.Addr().String(), "store", c.Store)
	return actors(ctx, healer, listener).Run()
}

// actors are what lives as long as the program. Whichever ends first ends the others.
func actors(ctx context.Context, h *healer, listener net.Listener) *rungroup.Group {
	var group rungroup.Group
	server := &http.Server{Handler: h.handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute}
	group.Add(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, func(error) {
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainBound)
		defer cancel()
		if server.Shutdown(drain) != nil {
			_ = server.Close() // whoever did not finish in time gets no answer, and sends again
		}
	})
	for _, live := range []func(context.Context) error{h.engine.Run, h.admin.Keep, h.notifier.Run} {
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		group.Add(func() error { return live(ctx) }, func(error) { cancel() })
	}
	stop, cancel := context.WithCancel(ctx)
	group.Add(func() error { <-stop.Done(); return nil }, func(error) { cancel() })
	return &group
}

// token reads a bearer token; an empty file is an error.
func token(flag, path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "", fmt.Errorf("%s: %s is empty: put a token into it", flag, path)
	}
	return text, nil
}
