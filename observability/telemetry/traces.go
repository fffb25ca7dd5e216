package telemetry

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Bounds of an export queue. Batches leave soon because a healer and a demo look at traces seconds after the fact; the
// queue holds some seconds of a busy service and then drops, because memory is worth more than spans.
const (
	flushInterval = 250 * time.Millisecond
	exportTimeout = time.Second
	queueSize     = 4096
	batchSize     = 512
)

func newTracerProvider(ctx context.Context, cfg Config, res *resource.Resource, losses *losses) (*sdktrace.TracerProvider, error) {
	options := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(res),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.SampleRatio))),
	}
	if cfg.TracesURL != "" {
		// No compression and no retry: the receiver is near, and a retry holds the queue up while newer spans come.
		exporter, err := otlptracehttp.New(ctx,
			otlptracehttp.WithEndpointURL(strings.TrimRight(cfg.TracesURL, "/")+"/v1/traces"),
			otlptracehttp.WithCompression(otlptracehttp.NoCompression),
			otlptracehttp.WithTimeout(exportTimeout),
			otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))
		if err != nil {
			return nil, err
		}
		options = append(options, sdktrace.WithSpanProcessor(newBatcher(exporter, losses)))
	}
	return sdktrace.NewTracerProvider(options...), nil
}
