package collect

import (
	"context"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/e2e/signature"
	"github.com/faultline-lab/faultline/observability/query"
)

// lately is how far back logs and traces are read.
const lately = 6 * time.Second

// errorLines is the LogQL for what went wrong in the services.
const errorLines = `{service_name=~"storefront|orders|inventory|payments"} | error_code!=""`

// logs counts the log records with an error code, by service and code. None at all is a zero of the service's.
func (c *Collector) logs(ctx context.Context) []signature.Fact {
	now := time.Now()
	records, err := c.loki.QueryRange(ctx, errorLines, now.Add(-lately), now, 5000)
	if err != nil {
		return []signature.Fact{unknown(signature.Loki, signature.ErrorLines, signature.Loki, errorLines, err.Error(), now)}
	}
	counts := map[string]float64{}
	for _, record := range records {
		counts[record.Labels["service_name"]+"/"+record.Labels["error_code"]]++
	}
	all := measured(signature.Loki, signature.ErrorLines, "all", errorLines, "{record}", float64(len(records)), now)
	all.Detail = fmt.Sprintf("of the last %s", lately)
	facts := []signature.Fact{all}
	for subject, n := range counts {
		facts = append(facts, measured(signature.Loki, signature.ErrorLines, subject, errorLines, "{record}", n, now))
	}
	return facts
}

// slow is how long an order takes at least whose time is looked into.
const slow = 300 * time.Millisecond

// traces tells where the time of slow orders goes: the mean time of an order in each part of it.
func (c *Collector) traces(ctx context.Context, known listing) []signature.Fact {
	now := time.Now()
	search := query.Search{Service: "orders", Operation: "POST /orders", From: now.Add(-lately), To: now, MinTook: slow, Limit: 40}
	asked := fmt.Sprintf("service orders, operation POST /orders, at least %s, of the last %s", slow, lately)
	found, err := c.jaeger.Search(ctx, search)
	if err != nil {
		return []signature.Fact{unknown(signature.Jaeger, signature.TracePart, signature.Jaeger, asked, err.Error(), now)}
	}
	if len(found) == 0 {
		return []signature.Fact{unknown(signature.Jaeger, signature.TracePart, signature.Jaeger, asked, "no order was slow", now)}
	}
	var facts []signature.Fact
	for part, mean := range parts(found, known) {
		fact := measured(signature.Jaeger, signature.TracePart, part, asked, "s", mean, now)
		fact.Detail = fmt.Sprintf("mean of %d orders", len(found))
		facts = append(facts, fact)
	}
	return facts
}

// parts adds up, over the spans of orders, the time in each part and divides by the number of traces. Parts may overlap.
func parts(traces []query.Trace, known listing) map[string]float64 {
	sums := map[string]float64{}
	for _, trace := range traces {
		for _, span := range trace.Spans {
			if name := part(span, known); name != "" {
				sums[name] += span.Duration.Seconds() / float64(len(traces))
			}
		}
	}
	return sums
}

func part(span query.Span, known listing) string {
	switch {
	case span.Service == "inventory" && span.Attributes["db.system.name"] != "":
		return "sql of inventory"
	case span.Service != "orders":
		return ""
	case span.Name == "POST /orders":
		return "order"
	case span.Name == "pool.acquire" || span.Name == "pool.connect":
		return span.Name
	case span.Attributes["db.system.name"] != "":
		return "sql of orders"
	case span.Kind == query.Client:
		return "call of " + known.workloadAt(span.Attributes["server.address"], span.Attributes["server.port"])
	}
	return ""
}
