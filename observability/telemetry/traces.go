package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/faultline-lab/faultline/observability/telemetry/internal/wire"
)

func newTracerProvider(cfg Config, res *resource.Resource, losses *losses) (*sdktrace.TracerProvider, error) {
	options := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(res),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.SampleRatio))),
	}
	if cfg.TracesURL != "" {
		exporter, err := newSpanExporter(cfg.TracesURL, res)
		if err != nil {
			return nil, err
		}
		options = append(options, sdktrace.WithSpanProcessor(newSpanProcessor(exporter, losses)))
	}
	return sdktrace.NewTracerProvider(options...), nil
}

// spanProcessor queues spans as they end. It encodes them at once: as bytes they cost the garbage collector much less,
// while they wait, than what the SDK made of them.
type spanProcessor struct {
	*batcher[wire.Span]
	exporter *spanExporter
}

func newSpanProcessor(exporter *spanExporter, losses *losses) spanProcessor {
	return spanProcessor{newBatcher("traces", exporter.send, losses), exporter}
}

// OnStart does nothing: a span is sent when it ends.
func (p spanProcessor) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

func (p spanProcessor) OnEnd(span sdktrace.ReadOnlySpan) {
	if span.SpanContext().IsSampled() {
		p.add(p.exporter.encoder.Encode(span))
	}
}

func (p spanProcessor) Shutdown(ctx context.Context) error {
	defer p.exporter.transport.CloseIdleConnections()
	return p.batcher.Shutdown(ctx)
}
