// Package jaeger tells by the traces where the time of slow requests goes. It corroborates and decides nothing, so it has
// little time to answer.
package jaeger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
	"github.com/faultline-lab/faultline/observability/query"
)

const (
	lately = 6 * time.Second        // older requests may be of another story
	slow   = 300 * time.Millisecond // an order that takes as long is one to look into
	most   = 20                     // traces of one look
)

// Config says where Jaeger is, what to look for, and how long it may take.
type Config struct {
	Query query.Config
	// Service and Operation are whose requests are looked into; orders' "POST /orders" by default.
	Service, Operation string
	// Deadline bounds a look, however long the others take; 200 ms by default.
	Deadline time.Duration
	Now      func() time.Time
}

// Collector implements evidence.Corroborator.
type Collector struct {
	cfg    Config
	client *query.Jaeger
}

// New makes a collector; it contacts nobody.
func New(cfg Config) (*Collector, error) {
	client, err := query.NewJaeger(cfg.Query)
	if err != nil {
		return nil, err
	}
	if cfg.Service == "" {
		cfg.Service, cfg.Operation = "orders", "POST /orders"
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = 200 * time.Millisecond
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Collector{cfg, client}, nil
}

// Source is Jaeger.
func (*Collector) Source() string { return evidence.Jaeger }

// Corroborates says that nothing hangs on it.
func (*Collector) Corroborates() {}

// Collect gives the mean time of a slow request in each part of it. Where none was slow there is nothing to say.
func (c *Collector) Collect(ctx context.Context, scope evidence.Scope) []incident.Fact {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Deadline)
	defer cancel()
	now := c.cfg.Now()
	found, err := c.client.Search(ctx, query.Search{
		Service: c.cfg.Service, Operation: c.cfg.Operation, From: now.Add(-lately), To: now, MinTook: slow, Limit: most,
	})
	fact := incident.Fact{
		Name: evidence.TracePart, Source: evidence.Jaeger, Subject: "all", Status: incident.Known, Unit: "s", At: now,
		Query:  fmt.Sprintf("service %s, operation %s, at least %s, of the last %s", c.cfg.Service, c.cfg.Operation, slow, lately),
		Detail: fmt.Sprintf("mean of %d requests", len(found)),
	}
	live, listErr := scope.Live()
	if err = errors.Join(err, listErr); err != nil {
		fact.Status, fact.Detail = incident.Unknown, err.Error()
		return []incident.Fact{fact}
	}
	var facts []incident.Fact
	for part, mean := range c.parts(found, live) {
		fact.Subject, fact.Value = part, mean
		facts = append(facts, fact)
	}
	return facts
}

// parts adds the time in each part up and divides by the number of traces. Parts may overlap.
func (c *Collector) parts(traces []query.Trace, live []workload.Workload) map[string]float64 {
	sums := map[string]float64{}
	for _, trace := range traces {
		for _, span := range trace.Spans {
			if name := c.part(span, live); name != "" {
				sums[name] += span.Duration.Seconds() / float64(len(traces))
			}
		}
	}
	return sums
}

func (c *Collector) part(span query.Span, live []workload.Workload) string {
	switch {
	case span.Name == "pool.acquire" || span.Name == "pool.connect":
		if span.Service == c.cfg.Service {
			return span.Name
		}
		return span.Name + " of " + span.Service
	case span.Attributes["db.system.name"] != "":
		return "sql of " + span.Service
	case span.Service == c.cfg.Service && span.Name == c.cfg.Operation:
		return "the request"
	case span.Service == c.cfg.Service && span.Kind == query.Client:
		if name, known := evidence.WorkloadAt(live, span.Attributes["server.address"], span.Attributes["server.port"]); known {
			return "call of " + name
		}
	}
	return ""
}
