package telemetry

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel/attribute"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// Buckets are the upper bounds, in seconds, of every duration histogram. They are dense where the deadlines of the
// order path lie (0.4, 0.5, 0.65, 0.8, 0.9 s), because an SLI can only be read at a bound.
func Buckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .65, .8, .9, 1, 2.5, 5}
}

// readProcess is how often a program reads its own memory and processor time; both move slowly, and are dear to read.
const readProcess = 5 * time.Second

// The labels that are kept; every further one multiplies the series.
var (
	serverLabels = attribute.NewAllowKeysFilter(
		semconv.HTTPRequestMethodKey, semconv.HTTPRouteKey, semconv.HTTPResponseStatusCodeKey)
	clientLabels = attribute.NewAllowKeysFilter(
		semconv.HTTPRequestMethodKey, semconv.HTTPResponseStatusCodeKey,
		semconv.ServerAddressKey, semconv.ServerPortKey, semconv.ErrorTypeKey)
)

// view decides the shape of each instrument's series.
func view(instrument sdkmetric.Instrument) (sdkmetric.Stream, bool) {
	stream := sdkmetric.Stream{Name: instrument.Name, Description: instrument.Description, Unit: instrument.Unit}
	switch instrument.Name {
	case "http.server.request.body.size", "http.server.response.body.size",
		"http.client.request.body.size", "http.client.response.body.size":
		stream.Aggregation = sdkmetric.AggregationDrop{}
		return stream, true
	case "http.server.request.duration":
		stream.AttributeFilter = serverLabels
	case "http.client.request.duration":
		stream.AttributeFilter = clientLabels
	}
	if instrument.Kind != sdkmetric.InstrumentKindHistogram || instrument.Unit != "s" {
		return stream, false
	}
	stream.Aggregation = sdkmetric.AggregationExplicitBucketHistogram{Boundaries: Buckets(), NoMinMax: true}
	stream.ExemplarReservoirProviderSelector = func(sdkmetric.Aggregation) exemplar.ReservoirProvider {
		return func(attribute.Set) exemplar.Reservoir {
			return traceOnly{exemplar.NewHistogramReservoir(Buckets())}
		}
	}
	return stream, true
}

// traceOnly keeps the labels that a view drops out of the exemplar. The SDK would put them there, and the exposition
// then refuses the whole exemplar: its labels may have 128 characters, and the trace takes 64 of them.
type traceOnly struct{ *exemplar.HistogramReservoir }

func (r traceOnly) Offer(ctx context.Context, at time.Time, value exemplar.Value, _ []attribute.KeyValue) {
	r.HistogramReservoir.Offer(ctx, at, value, nil)
}

func newMeterProvider(res *resource.Resource, registry *prometheus.Registry) (*sdkmetric.MeterProvider, error) {
	// Names as in docs/contracts.md. The target's labels say who it is, so target_info and scope labels would only
	// repeat that on every scrape.
	exporter, err := otelprometheus.New(
		otelprometheus.WithRegisterer(registry),
		otelprometheus.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
		otelprometheus.WithoutScopeInfo(),
		otelprometheus.WithoutTargetInfo())
	if err != nil {
		return nil, err
	}
	provider := sdkmetric.NewMeterProvider(
		sdkmetric.WithResource(res), sdkmetric.WithReader(exporter), sdkmetric.WithView(view))
	if err := runtime.Start(
		runtime.WithMeterProvider(provider), runtime.WithMinimumReadMemStatsInterval(readProcess)); err != nil {
		return nil, err
	}
	err = registry.Register(&seldom{
		Collector: collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), every: readProcess,
	})
	return provider, err
}

// MetricsHandler is the scrape page: OpenMetrics with exemplars when the scraper asks for it, else the text format.
func (t *Telemetry) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(t.page, promhttp.HandlerOpts{
		EnableOpenMetrics: true,
		// One broken collector must not blind a healer to all the others.
		ErrorHandling: promhttp.ContinueOnError,
		// At one scrape a second from nearby, gzip costs more than the bytes it saves.
		DisableCompression: true,
	})
}
