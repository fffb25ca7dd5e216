package telemetry

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
)

// newLoggerProvider returns nil when logs are not exported.
func newLoggerProvider(ctx context.Context, cfg Config, res *resource.Resource, losses *losses) (*sdklog.LoggerProvider, error) {
	if cfg.LogsURL == "" {
		return nil, nil
	}
	exporter, err := otlploghttp.New(ctx,
		otlploghttp.WithEndpointURL(cfg.LogsURL),
		otlploghttp.WithCompression(otlploghttp.NoCompression),
		otlploghttp.WithTimeout(exportTimeout),
		otlploghttp.WithRetry(otlploghttp.RetryConfig{Enabled: false}))
	if err != nil {
		return nil, err
	}
	return sdklog.NewLoggerProvider(
		sdklog.WithResource(res),
		sdklog.WithProcessor(sdklog.NewBatchProcessor(logExporter{exporter, losses},
			sdklog.WithExportInterval(flushInterval),
			sdklog.WithExportTimeout(exportTimeout),
			sdklog.WithMaxQueueSize(queueSize),
			sdklog.WithExportMaxBatchSize(batchSize))),
	), nil
}

// newLogger sends each record to the written lines and to OTLP, whichever there are.
func newLogger(cfg Config, provider *sdklog.LoggerProvider) *slog.Logger {
	var handlers []slog.Handler
	if cfg.LogWriter != nil {
		handlers = append(handlers, newTraceIDs(lineHandler(cfg)))
	}
	if provider != nil {
		bridge := otelslog.NewHandler(cfg.Service, otelslog.WithLoggerProvider(provider))
		handlers = append(handlers, atLeast{bridge, cfg.LogLevel})
	}
	return slog.New(slog.NewMultiHandler(handlers...))
}

// lineLogger writes lines only; it says what telemetry has to say about itself.
func lineLogger(cfg Config) *slog.Logger {
	if cfg.LogWriter == nil {
		cfg.LogWriter = io.Discard
	}
	return slog.New(lineHandler(cfg))
}

// lineHandler names the program on every line, because the lines of several may end up in one terminal.
func lineHandler(cfg Config) slog.Handler {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	var handler slog.Handler = slog.NewJSONHandler(cfg.LogWriter, options)
	if cfg.LogFormat == "text" {
		handler = slog.NewTextHandler(cfg.LogWriter, options)
	}
	return handler.WithAttrs([]slog.Attr{
		slog.String("service", cfg.Service), slog.String("instance", cfg.Instance),
	})
}
