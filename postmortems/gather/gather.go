package gather

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/observability/query"
	"github.com/faultline-lab/faultline/postmortems/report"
)

// Metrics answers range queries in PromQL.
type Metrics interface {
	Range(ctx context.Context, promql string, from, to time.Time, step time.Duration) ([]query.Series, error)
}

// Traces finds traces; each is given whole.
type Traces interface {
	Search(ctx context.Context, search query.Search) ([]query.Trace, error)
}

// Logs answers LogQL, oldest record first.
type Logs interface {
	QueryRange(ctx context.Context, logql string, from, to time.Time, limit int) ([]query.Log, error)
}

// Config is what a Gatherer needs. A source that is nil is unknown, for the reason that Missing gives for it.
type Config struct {
	Metrics Metrics
	Traces  Traces
	Logs    Logs
	// Missing says, by source (prometheus, jaeger, loki), why a source is nil.
	Missing map[string]string

	// ScrapeInterval is how often Prometheus scrapes; default 1 s. It is the finest resolution of the report.
	ScrapeInterval time.Duration
	// Now is the clock; required.
	Now func() time.Time
}

// Gatherer asks the sources.
type Gatherer struct{ cfg Config }

// New returns a Gatherer. It returns an error when the clock is missing.
func New(cfg Config) (*Gatherer, error) {
	if cfg.Now == nil {
		return nil, errors.New("gather: no clock")
	}
	if cfg.ScrapeInterval <= 0 {
		cfg.ScrapeInterval = time.Second
	}
	return &Gatherer{cfg: cfg}, nil
}

// Around asks every source about the time around the incident. It never fails: what could not be had says so itself.
func (g *Gatherer) Around(ctx context.Context, in incident.Incident) report.Telemetry {
	tel := report.Telemetry{Grid: grid(in, g.cfg.ScrapeInterval, g.cfg.Now())}
	var wait sync.WaitGroup
	wait.Go(func() { tel.Edge = g.edge(ctx, tel.Grid) })
	wait.Go(func() { tel.Pools = g.pools(ctx, tel.Grid, workloads(in)) })
	wait.Go(func() {
		tel.Trace = g.trace(ctx, in)
		tel.Logs = g.logs(ctx, tel.Trace) // the lines are those of the trace
	})
	wait.Wait()
	return tel
}

// missing is the reason for a source that is not there.
func (g *Gatherer) missing(source string) string {
	if reason := g.cfg.Missing[source]; reason != "" {
		return reason
	}
	return "no address of " + source + " was given"
}

// reason says in short why a source did not answer; the question stands beside it already.
func reason(err error) string {
	var failed *query.Error
	switch {
	case !errors.As(err, &failed):
		return err.Error()
	case failed.Status != 0 && failed.Err == nil:
		return fmt.Sprintf("%s answered %d: %s", failed.System, failed.Status, failed.Body)
	case failed.Status != 0:
		return fmt.Sprintf("%s answered %d, which makes no sense: %v", failed.System, failed.Status, failed.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return failed.System + " did not answer in time"
	}
	var address *url.Error
	if errors.As(failed.Err, &address) { // its text repeats the whole question, as a URL
		return failed.System + " does not answer: " + address.Err.Error()
	}
	return failed.System + " does not answer: " + failed.Err.Error()
}
