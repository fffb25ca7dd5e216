package counts_test

import (
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/faultline-lab/faultline/apps/internal/counts"
	"github.com/faultline-lab/faultline/apps/internal/metrictest"
)

func TestEachValueIsThereFromTheStartAndNoOtherCanBeAdded(t *testing.T) {
	page := metrictest.New(t)
	counter, err := counts.New(page.MeterProvider().Meter("test"), counts.Config[string]{
		Name: "shop.sales", Unit: "{sale}", Help: "Sales.", Label: "result", Values: []string{"sold", "lost"},
	})
	if err != nil {
		t.Fatal(err)
	}
	page.Expect(t, map[string]float64{`shop_sales_total{result="sold"}`: 0, `shop_sales_total{result="lost"}`: 0})

	counter.Add(t.Context(), "sold", 3)
	for _, unforeseen := range []string{"stolen", "burnt"} {
		counter.Add(t.Context(), unforeseen, 1)
	}
	page.Expect(t, map[string]float64{`shop_sales_total{result="sold"}`: 3, `shop_sales_total{result="_OTHER"}`: 2})
	if strings.Contains(page.Text(t), "stolen") {
		t.Error("a value that nobody foresaw has become a series")
	}
}

func TestACountLeadsToATraceThatWasSampled(t *testing.T) {
	page := metrictest.New(t)
	counter, err := counts.New(page.MeterProvider().Meter("test"), counts.Config[string]{
		Name: "shop.sales", Unit: "{sale}", Help: "Sales.", Label: "result", Values: []string{"sold"},
	})
	if err != nil {
		t.Fatal(err)
	}
	unsampled := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{2}, SpanID: trace.SpanID{2}})
	counter.Add(trace.ContextWithSpanContext(t.Context(), unsampled), "sold", 1)
	if text := page.Text(t); strings.Contains(text, unsampled.TraceID().String()) {
		t.Errorf("an exemplar leads to a trace that is kept nowhere:\n%s", text)
	}
	ctx, span := page.TracerProvider().Tracer("test").Start(t.Context(), "sale")
	counter.Add(ctx, "sold", 1)
	if text := page.Text(t); !strings.Contains(text, span.SpanContext().TraceID().String()) {
		t.Errorf("no exemplar of the sale:\n%s", text)
	}
}
