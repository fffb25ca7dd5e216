package evidence

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// offenders is the source of requests that were hurt. It gives no facts: without it nothing is unknown.
const offenders = "offenders"

// Request is one request that was hurt, as its trace knows it.
type Request struct {
	Span    trace.SpanContext
	Replica string // where it was hurt
}

// Offenders finds some requests of the workloads that were hurt lately: they failed, or waited in vain for a connection.
type Offenders interface {
	Offenders(ctx context.Context, workloads []string) ([]Request, error)
}

// hurt asks for them. They illustrate and prove nothing, so that none could be had is no fact.
func (g *Gatherer) hurt(ctx context.Context, scope Scope) part {
	found, err := g.cfg.Offenders.Offenders(ctx, scope.Workloads)
	if err != nil {
		found = nil
	}
	return part{source: offenders, requests: found}
}
