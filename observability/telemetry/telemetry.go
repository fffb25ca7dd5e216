package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

const (
	// shutdownBound is the longest that Shutdown takes, whatever its context allows.
	shutdownBound = 2 * time.Second
	// slowRequest is the default of Config.SlowRequest.
	slowRequest = 500 * time.Millisecond
)

// Config says who the program is and where its telemetry goes.
type Config struct {
	// Service and Instance are required: the workload and the replica (docs/contracts.md, "Names").
	Service, Instance string
	Version           string

	// TracesURL is the base of an OTLP/HTTP receiver, for example http://127.0.0.1:4318. Empty: spans are made, so
	// that logs have trace ids, but they go nowhere.
	TracesURL string
	// LogsURL is the full OTLP/HTTP address for logs, for example http://127.0.0.1:3100/otlp/v1/logs. Empty: none.
	LogsURL string

	// LogWriter takes the same records as lines, usually stdout; nil for none.
	LogWriter io.Writer
	LogLevel  slog.Level
	// LogFormat of the lines: json (the default) or text.
	LogFormat string

	// SampleRatio is the share of traces begun here that are kept, in (0,1]; 0 means all. A caller's decision always
	// wins, so that a trace is whole or absent.
	SampleRatio float64

	// SlowRequest is how long a request that Middleware sees may take before a line is logged about it; 0 means half a
	// second, the bound of the objective at the edge.
	SlowRequest time.Duration

	// Off makes no spans, no metrics and no log records but the lines. It is there to measure what telemetry costs.
	Off bool
}

func (c *Config) defaults() error {
	if c.Service == "" || c.Instance == "" {
		return errors.New("telemetry: Service and Instance are required: without them nothing can be told apart")
	}
	if c.SampleRatio < 0 || c.SampleRatio > 1 {
		return fmt.Errorf("telemetry: SampleRatio is %v: use a share in (0,1], or 0 for all", c.SampleRatio)
	}
	if c.SampleRatio == 0 {
		c.SampleRatio = 1
	}
	if c.SlowRequest < 0 {
		return fmt.Errorf("telemetry: SlowRequest is %s: use a duration above zero, or 0 for %s", c.SlowRequest, slowRequest)
	}
	if c.SlowRequest == 0 {
		c.SlowRequest = slowRequest
	}
	if c.LogFormat == "" {
		c.LogFormat = "json"
	}
	if c.LogFormat != "json" && c.LogFormat != "text" {
		return fmt.Errorf("telemetry: log format %q: use json or text", c.LogFormat)
	}
	return nil
}

// Telemetry is a program's senses, from Start until Shutdown.
type Telemetry struct {
	off        bool
	slow       time.Duration
	registry   *prometheus.Registry
	page       prometheus.Gatherer
	propagator propagation.TextMapPropagator
	logger     *slog.Logger

	traces  trace.TracerProvider
	metrics metric.MeterProvider
	stops   []func(context.Context) error
}

// Start makes the providers. It contacts nobody: a backend that is down now may come up later. The context bounds only
// Start itself.
func Start(ctx context.Context, cfg Config) (*Telemetry, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	if cfg.Off {
		return disabled(cfg), nil
	}
	res, registry := identity(cfg), prometheus.NewRegistry()
	losses, err := newLosses(registry, lineLogger(cfg))
	if err != nil {
		return nil, err
	}
	metrics, err := newMeterProvider(res, registry)
	if err != nil {
		return nil, fmt.Errorf("telemetry: metrics: %w", err)
	}
	traces, err := newTracerProvider(cfg, res, losses)
	if err != nil {
		return nil, fmt.Errorf("telemetry: traces to %s: %w", cfg.TracesURL, err)
	}
	logs, err := newLoggerProvider(ctx, cfg, res, losses)
	if err != nil {
		return nil, fmt.Errorf("telemetry: logs to %s: %w", cfg.LogsURL, err)
	}
	t := &Telemetry{
		slow: cfg.SlowRequest, registry: registry, page: registry, logger: newLogger(cfg, logs),
		propagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
		traces:     traces, metrics: metrics,
		stops: []func(context.Context) error{traces.Shutdown, metrics.Shutdown},
	}
	if logs != nil {
		t.stops = append(t.stops, logs.Shutdown)
	}
	return t, nil
}

func identity(cfg Config) *resource.Resource {
	return resource.NewWithAttributes(semconv.SchemaURL,
		semconv.ServiceName(cfg.Service), semconv.ServiceInstanceID(cfg.Instance), semconv.ServiceVersion(cfg.Version))
}

// disabled has everything that Telemetry promises, and none of it does anything but the lines.
func disabled(cfg Config) *Telemetry {
	return &Telemetry{
		off: true, registry: prometheus.NewRegistry(), page: prometheus.NewRegistry(), logger: newLogger(cfg, nil),
		traces: tracenoop.NewTracerProvider(), metrics: metricnoop.NewMeterProvider(),
	}
}

// Enabled is false when Config.Off turned everything off: whoever wraps something else than HTTP then leaves it bare.
func (t *Telemetry) Enabled() bool { return !t.off }

// Logger writes to every place the configuration names. Records carry the trace_id and span_id of the context that
// they are logged with, so use the variants that take one.
func (t *Telemetry) Logger() *slog.Logger { return t.logger }

// TracerProvider makes spans for code that is instrumented by hand.
func (t *Telemetry) TracerProvider() trace.TracerProvider { return t.traces }

// MeterProvider makes OpenTelemetry instruments; they appear on the scrape page.
func (t *Telemetry) MeterProvider() metric.MeterProvider { return t.metrics }

// Registerer takes client_golang metrics; they appear on the scrape page, unless telemetry is off.
func (t *Telemetry) Registerer() prometheus.Registerer { return t.registry }

// Shutdown sends what is queued and stops. It takes at most two seconds, less when ctx ends sooner. Call it after HTTP
// has drained, else the last requests go unseen.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownBound)
	defer cancel()

	// At once and not one by one, so that a dead Jaeger does not use up the time in which Loki would have answered.
	results := make(chan error, len(t.stops))
	for _, stop := range t.stops {
		go func() { results <- stop(ctx) }()
	}
	var all error
	for range t.stops {
		all = errors.Join(all, <-results)
	}
	if all != nil {
		return fmt.Errorf("telemetry: the last records may be lost: %w", all)
	}
	return nil
}
