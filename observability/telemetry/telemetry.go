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
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// shutdownBound is the longest that Shutdown takes, whatever its context allows.
const shutdownBound = 2 * time.Second

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
	registry   *prometheus.Registry
	propagator propagation.TextMapPropagator
	logger     *slog.Logger

	traces  *sdktrace.TracerProvider
	logs    *sdklog.LoggerProvider
	metrics *sdkmetric.MeterProvider
}

// Start makes the providers. It contacts nobody: a backend that is down now may come up later. The context bounds only
// Start itself.
func Start(ctx context.Context, cfg Config) (*Telemetry, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	res := resource.NewWithAttributes(semconv.SchemaURL,
		semconv.ServiceName(cfg.Service),
		semconv.ServiceInstanceID(cfg.Instance),
		semconv.ServiceVersion(cfg.Version))
	t := &Telemetry{
		registry: prometheus.NewRegistry(),
		propagator: propagation.NewCompositeTextMapPropagator(
			propagation.TraceContext{}, propagation.Baggage{}),
	}
	losses, err := newLosses(t.registry, lineLogger(cfg))
	if err != nil {
		return nil, err
	}
	if t.metrics, err = newMeterProvider(res, t.registry); err != nil {
		return nil, fmt.Errorf("telemetry: metrics: %w", err)
	}
	if t.traces, err = newTracerProvider(ctx, cfg, res, losses); err != nil {
		return nil, fmt.Errorf("telemetry: traces to %s: %w", cfg.TracesURL, err)
	}
	if t.logs, err = newLoggerProvider(ctx, cfg, res, losses); err != nil {
		return nil, fmt.Errorf("telemetry: logs to %s: %w", cfg.LogsURL, err)
	}
	t.logger = newLogger(cfg, t.logs)
	return t, nil
}

// Logger writes to every place the configuration names. Records carry the trace_id and span_id of the context that
// they are logged with, so use the variants that take one.
func (t *Telemetry) Logger() *slog.Logger { return t.logger }

// TracerProvider makes spans for code that is instrumented by hand.
func (t *Telemetry) TracerProvider() trace.TracerProvider { return t.traces }

// MeterProvider makes OpenTelemetry instruments; they appear on the scrape page.
func (t *Telemetry) MeterProvider() metric.MeterProvider { return t.metrics }

// Registerer takes client_golang metrics; they appear on the scrape page.
func (t *Telemetry) Registerer() prometheus.Registerer { return t.registry }

// Shutdown sends what is queued and stops. It takes at most two seconds, less when ctx ends sooner. Call it after HTTP
// has drained, else the last requests go unseen.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownBound)
	defer cancel()

	stops := []func(context.Context) error{t.traces.Shutdown, t.metrics.Shutdown}
	if t.logs != nil {
		stops = append(stops, t.logs.Shutdown)
	}
	// At once and not one by one, so that a dead Jaeger does not use up the time in which Loki would have answered.
	results := make(chan error, len(stops))
	for _, stop := range stops {
		go func() { results <- stop(ctx) }()
	}
	var all error
	for range stops {
		all = errors.Join(all, <-results)
	}
	if all != nil {
		return fmt.Errorf("telemetry: the last records may be lost: %w", all)
	}
	return nil
}
