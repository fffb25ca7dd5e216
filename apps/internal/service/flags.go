package service

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/faultline-lab/faultline/observability/telemetry"
)

// Flags are those that every service has.
type Flags struct {
	Listen         string     `default:"${listen}" help:"Address to serve on; port 0 takes a free one."`
	Instance       string     `default:"${name}-1" help:"Name of this replica: on every metric, log record and span, and in the application_name of its database sessions."`
	ServiceVersion string     `default:"v1" help:"Version that is running, compared for equality by whoever asks since when a fault is there."`
	TracesURL      string     `placeholder:"URL" help:"Base of an OTLP/HTTP receiver for traces (http://127.0.0.1:4318). Without it spans go nowhere."`
	LogsURL        string     `placeholder:"URL" help:"Full OTLP/HTTP address for logs (http://127.0.0.1:3100/otlp/v1/logs). Without it logs go to stdout only."`
	LogLevel       slog.Level `default:"info" help:"debug, info, warn or error."`
	LogFormat      string     `default:"json" enum:"json,text" help:"Form of the lines on stdout: json or text."`

	TraceSampleRatio Share  `default:"1" help:"Share of the traces begun here that are kept, above 0 and at most 1. A caller's decision wins, so that a trace is whole or absent."`
	Telemetry        string `default:"on" enum:"on,off" help:"off runs without spans, metrics and exported logs; only there to measure what they cost."`

	DrainTimeout time.Duration `default:"1s" help:"The longest that an orderly end takes, from SIGTERM to exit."`

	// OnListen, when set, is told the address once the service is ready; tests that listen on port 0 need it.
	OnListen func(net.Addr) `kong:"-"`
}

func (f Flags) telemetry(name string, stdout io.Writer) telemetry.Config {
	return telemetry.Config{
		Service: name, Instance: f.Instance, Version: f.ServiceVersion,
		TracesURL: f.TracesURL, LogsURL: f.LogsURL,
		LogWriter: stdout, LogLevel: f.LogLevel, LogFormat: f.LogFormat,
		SampleRatio: float64(f.TraceSampleRatio), Off: f.Telemetry == "off",
	}
}

// Validate says what is wrong with the flags' values.
func (f Flags) Validate() error {
	if f.Listen == "" || f.Instance == "" {
		return fmt.Errorf("--listen and --instance are required (got %q and %q)", f.Listen, f.Instance)
	}
	if f.DrainTimeout < minDrain {
		return fmt.Errorf("--drain-timeout is %s; give at least %s, or nothing can end in order", f.DrainTimeout, minDrain)
	}
	return nil
}
