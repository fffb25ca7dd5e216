package telemetry

import (
	"context"
	"errors"
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
		sdklog.WithResource(res), sdklog.WithProcessor(newLogProcessor(exporter, losses))), nil
}

// logProcessor queues records as they are written.
type logProcessor struct {
	*batcher[sdklog.Record]
	exporter sdklog.Exporter
}

func newLogProcessor(exporter sdklog.Exporter, losses *losses) logProcessor {
	return logProcessor{newBatcher("logs", exporter.Export, losses), exporter}
}

// Enabled says yes: the level is looked at before a record is made.
func (p logProcessor) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// OnEmit queues a copy, because the record is the caller's again as soon as this returns.
func (p logProcessor) OnEmit(_ context.Context, record *sdklog.Record) error {
	p.add(record.Clone())
	return nil
}

func (p logProcessor) Shutdown(ctx context.Context) error {
	return errors.Join(p.batcher.Shutdown(ctx), p.exporter.Shutdown(ctx))
}

// newLogger sends each record to the written lines and to OTLP, whichever there are.
func newLogger(cfg Config, provider *sdklog.LoggerProvider) *slog.Logger {
	var handlers []slog.Handler
	if cfg.LogWriter != nil {
		handlers = append(handlers, newTraceIDs(lineHandler(cfg)))
	}
	if provider != nil {
		bridge := otelslog.NewHandler(cfg.Service, otelslog.WithLoggerProvider(provider))
		handlers = append(handlers, atLeast{plainValues{bridge}, cfg.LogLevel})
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
