package wire_test

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/faultline-lab/faultline/observability/telemetry/internal/wire"
)

var program = resource.NewWithAttributes("https://example.org/schema",
	attribute.String("service.name", "orders"), attribute.String("service.instance.id", "orders-1"))

// theirs is what OpenTelemetry's own exporter sends of the spans.
func theirs(t *testing.T, spans []sdktrace.ReadOnlySpan) *collector.ExportTraceServiceRequest {
	t.Helper()
	var sent []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sent, _ = io.ReadAll(r.Body) }))
	defer server.Close()
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(server.URL+"/v1/traces"))
	if err != nil {
		t.Fatal(err)
	}
	if err := exporter.ExportSpans(t.Context(), spans); err != nil {
		t.Fatal(err)
	}
	if err := exporter.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	return decoded(t, sent)
}

// ours is what the encoder makes of them.
func ours(t *testing.T, encoder *wire.Encoder, spans []sdktrace.ReadOnlySpan) *collector.ExportTraceServiceRequest {
	t.Helper()
	encoded := make([]wire.Span, len(spans))
	for i, span := range spans {
		encoded[i] = encoder.Encode(span)
	}
	request := encoder.Request(encoded)
	defer request.Close()
	sent, err := io.ReadAll(request)
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, sent)
}

// decoded sorts by library, of which neither exporter promises an order.
func decoded(t *testing.T, sent []byte) *collector.ExportTraceServiceRequest {
	t.Helper()
	var request collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(sent, &request); err != nil {
		t.Fatal(err)
	}
	for _, from := range request.ResourceSpans {
		slices.SortFunc(from.ScopeSpans, func(a, b *otlp.ScopeSpans) int {
			return cmp.Compare(a.GetScope().GetName(), b.GetScope().GetName())
		})
	}
	return &request
}

var libraries = []instrumentation.Scope{
	{},
	{Name: "pgxpooltel"},
	{Name: "http", Version: "1", SchemaURL: "https://example.org", Attributes: attribute.NewSet(attribute.Int("a", 1))},
}

func everyKindOfValue() []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("text", "SELECT orders"), attribute.String("empty", ""), attribute.String("long", strings.Repeat("é", 9000)),
		attribute.Bool("yes", true), attribute.Bool("no", false),
		attribute.Int("zero", 0), attribute.Int("negative", -7), attribute.Int64("large", 1<<62),
		attribute.Float64("float", 0.25), attribute.Float64("nought", 0),
		attribute.StringSlice("texts", []string{"a", ""}), attribute.BoolSlice("bools", []bool{true, false}),
		attribute.Int64Slice("ints", []int64{0, -1}), attribute.Float64Slice("floats", []float64{0, 1.5}),
		attribute.StringSlice("none", nil), attribute.ByteSlice("bytes", []byte{0, 255}),
		attribute.Slice("mixed", attribute.IntValue(1), attribute.StringValue("b")),
		attribute.Map("map", attribute.String("k", "v"), attribute.Map("inner", attribute.Int("n", 1))),
		{Key: "nothing"},
	}
}

func sampled(trace1, span byte, remote bool) trace.SpanContext {
	state, _ := trace.ParseTraceState("vendor=value")
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{trace1}, SpanID: trace.SpanID{span}, TraceFlags: trace.FlagsSampled, TraceState: state, Remote: remote,
	})
}

func everyKindOfSpan() []sdktrace.ReadOnlySpan {
	began := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	stubs := tracetest.SpanStubs{
		{
			Name: "with everything", Attributes: everyKindOfValue(),
			Status:            sdktrace.Status{Code: codes.Error, Description: "broken"},
			DroppedAttributes: 1, DroppedEvents: 2, DroppedLinks: 3,
			Events: []sdktrace.Event{
				{Name: "INSERT lines", Time: began, Attributes: everyKindOfValue(), DroppedAttributeCount: 4}, {Time: began},
			},
			Links: []sdktrace.Link{
				{SpanContext: sampled(7, 7, true), Attributes: everyKindOfValue(), DroppedAttributeCount: 5},
				{SpanContext: sampled(8, 8, false)},
			},
		},
		{Name: "ok", Status: sdktrace.Status{Code: codes.Ok}},
		{Name: "below another program", Parent: sampled(1, 9, true)},
		{},
	}
	for kind := trace.SpanKindUnspecified; kind <= trace.SpanKindConsumer+1; kind++ {
		stubs = append(stubs, tracetest.SpanStub{Name: kind.String(), SpanKind: kind, Parent: sampled(1, 2, false)})
	}
	for i := range stubs {
		stubs[i].Resource = program
		stubs[i].SpanContext = sampled(1, byte(i+1), false)
		stubs[i].StartTime, stubs[i].EndTime = began, began.Add(time.Millisecond)
		stubs[i].InstrumentationScope = libraries[i%len(libraries)]
	}
	return stubs.Snapshots()
}

func TestTheEncoderSaysWhatOpenTelemetrysExporterSays(t *testing.T) {
	spans, encoder := everyKindOfSpan(), wire.NewEncoder(program)
	want := theirs(t, spans)
	for _, buffers := range []string{"new", "used before", "used before that"} {
		if got := ours(t, encoder, spans); !proto.Equal(got, want) {
			t.Fatalf("with buffers %s:\n%s\nwant\n%s", buffers, prototext.Format(got), prototext.Format(want))
		}
	}
}

func TestTextThatIsNotUTF8IsMendedAndDoesNotCostTheBatch(t *testing.T) {
	broken := tracetest.SpanStub{
		Name: "a\xffb", Resource: program, SpanContext: sampled(1, 1, false), Attributes: []attribute.KeyValue{attribute.String("k", "\xc3")},
	}
	got := ours(t, wire.NewEncoder(program), []sdktrace.ReadOnlySpan{broken.Snapshot()})
	span := got.ResourceSpans[0].ScopeSpans[0].Spans[0]
	if span.Name != "a\uFFFDb" || span.Attributes[0].Value.GetStringValue() != "\uFFFD" {
		t.Errorf("%s", prototext.Format(span))
	}
}

// An export that was cut off may still be read by the transport while the next one is made.
func TestARequestThatIsNotClosedKeepsItsBytesWhileOthersAreMade(t *testing.T) {
	spans, encoder := everyKindOfSpan(), wire.NewEncoder(program)
	open := encoder.Request([]wire.Span{encoder.Encode(spans[0])})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				ours(t, encoder, spans)
			}
		})
	}
	all.Wait()
	sent, err := io.ReadAll(open)
	if err != nil {
		t.Fatal(err)
	}
	if want := theirs(t, spans[:1]); !proto.Equal(decoded(t, sent), want) {
		t.Error("its bytes have changed")
	}
}
