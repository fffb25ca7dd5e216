package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/target"
	"github.com/faultline-lab/faultline/e2e/signature"
	"github.com/faultline-lab/faultline/observability/endpoints"
	"github.com/faultline-lab/faultline/observability/query"
)

// workloads are those whose replicas are looked at, and by whose names sessions of the server are known as ours.
var workloads = []string{"orders", "inventory", "payments"}

// Collector asks every source of one stack.
type Collector struct {
	stack      endpoints.Stack
	prometheus *query.Prometheus
	loki       *query.Loki
	jaeger     *query.Jaeger
	control    target.Control
	postgres   *pgx.Conn
}

// Open connects to the sources. The connection to Postgres is kept, so that it is there when the server is full. The caller
// closes the collector.
func Open(ctx context.Context, stack endpoints.Stack) (*Collector, error) {
	c := &Collector{stack: stack}
	var errs [4]error
	c.prometheus, errs[0] = query.NewPrometheus(query.Config{URL: stack.Endpoints.Prometheus})
	c.loki, errs[1] = query.NewLoki(query.Config{URL: stack.Endpoints.Loki})
	c.jaeger, errs[2] = query.NewJaeger(query.Config{URL: stack.Endpoints.Jaeger})
	c.control, errs[3] = target.Open(stack)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(stack.DatabaseURLs["admin"])
	if err != nil {
		return nil, fmt.Errorf("the stack's admin URL of Postgres: %w", err)
	}
	config.RuntimeParams["application_name"] = "signature"
	if c.postgres, err = pgx.ConnectConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("connecting to Postgres: %w", err)
	}
	return c, nil
}

// Close ends the connection to Postgres.
func (c *Collector) Close(ctx context.Context) error { return c.postgres.Close(ctx) }

// Look asks all sources at once. It fails only when ctx ends: a source that does not answer leaves unknown facts.
func (c *Collector) Look(ctx context.Context) (signature.Look, error) {
	known := c.list(ctx)
	asked := time.Now()
	sources := []func(context.Context) []signature.Fact{
		func(ctx context.Context) []signature.Fact { return c.metrics(ctx, known) },
		c.sessions,
		func(context.Context) []signature.Fact { return replicas(known, asked) },
		c.logs,
		func(ctx context.Context) []signature.Fact { return c.traces(ctx, known) },
	}
	answers := make([][]signature.Fact, len(sources))
	var wait sync.WaitGroup
	for i, source := range sources {
		wait.Go(func() { answers[i] = source(ctx) })
	}
	wait.Wait()
	facts := slices.Concat(answers...)
	slices.SortStableFunc(facts, func(a, b signature.Fact) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Subject, b.Subject))
	})
	return signature.Look{Facts: facts}, ctx.Err()
}

// listing is the answer of the workload list.
type listing struct {
	all []control.Workload
	err error
}

func (c *Collector) list(ctx context.Context) listing {
	var l listing
	for _, name := range workloads {
		workload, err := c.control.Workload(ctx, name)
		if err != nil {
			return listing{err: err}
		}
		l.all = append(l.all, workload)
	}
	return l
}

// measured makes a fact of a value, or an unknown one of a value that is no number.
func measured(source, name, subject, asked, unit string, value float64, at time.Time) signature.Fact {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return unknown(source, name, subject, asked, "nothing was counted in the window", at)
	}
	return signature.Fact{
		Name: name, Source: source, Subject: subject, Query: asked, Status: signature.Known, Value: round(value), Unit: unit, At: at.UTC().Truncate(time.Millisecond),
	}
}

func unknown(source, name, subject, asked, why string, at time.Time) signature.Fact {
	return signature.Fact{
		Name: name, Source: source, Subject: subject, Query: asked, Status: signature.Unknown, Unit: "1", Detail: why, At: at.UTC().Truncate(time.Millisecond),
	}
}

// round keeps five digits: more of them are noise, and make recordings hard to read.
func round(value float64) float64 {
	if value == 0 {
		return 0
	}
	scale := math.Pow(10, 4-math.Floor(math.Log10(math.Abs(value))))
	return math.Round(value*scale) / scale
}
