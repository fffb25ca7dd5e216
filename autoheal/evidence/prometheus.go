package evidence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// PrometheusConfig holds what the Prometheus collector needs.
type PrometheusConfig struct {
	Sampler Sampler
	// Edge is the workload at the edge; "storefront" by default.
	Edge string
	// Interval is how often Prometheus scrapes; DefaultScrape by default. All windows are counted in scrapes: a longer
	// interval makes the evidence older and not thinner.
	Interval time.Duration
	// Stale is the age from which a sample says nothing; three scrapes by default.
	Stale time.Duration
	// ReleaseWindow is how long a release is evidence of a rollout; DefaultReleaseWindow by default.
	ReleaseWindow time.Duration
	Now           func() time.Time
}

// PrometheusCollector reads the pools' and the edge's metrics (docs/contracts.md, "Telemetry names").
type PrometheusCollector struct{ cfg PrometheusConfig }

// NewPrometheus makes the collector.
func NewPrometheus(cfg PrometheusConfig) (*PrometheusCollector, error) {
	if cfg.Sampler == nil {
		return nil, errors.New("evidence: no Prometheus to ask was given")
	}
	if cfg.Edge == "" {
		cfg.Edge = "storefront"
	}
	if cfg.Interval < 0 {
		return nil, fmt.Errorf("evidence: the scrape interval is %s: give --scrape-interval what Prometheus has", cfg.Interval)
	}
	if cfg.Interval == 0 {
		cfg.Interval = DefaultScrape
	}
	if cfg.Stale == 0 {
		cfg.Stale = 3 * cfg.Interval
	}
	if cfg.ReleaseWindow < 0 {
		return nil, fmt.Errorf("evidence: the release window is %s: give --release-window how long a release is news", cfg.ReleaseWindow)
	}
	if cfg.ReleaseWindow == 0 {
		cfg.ReleaseWindow = DefaultReleaseWindow
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &PrometheusCollector{cfg}, nil
}

// samples is the range that every selector asks for: five scrapes, so that the counter window is in it whenever it is asked.
func (c *PrometheusCollector) samples() string {
	return "[" + model.Duration(5*c.cfg.Interval).String() + "]"
}

func (c *PrometheusCollector) window() time.Duration { return CounterWindow(c.cfg.Interval) }

// Source is Prometheus.
func (*PrometheusCollector) Source() string { return Prometheus }

// question is one selector and how its series become facts.
type question struct {
	fact     string
	selector string
	read     func(q question, series []Series, now time.Time) []incident.Fact
}

// Collect asks all questions at once.
func (c *PrometheusCollector) Collect(ctx context.Context, scope Scope) []incident.Fact {
	questions := append(c.poolQuestions(scope), c.wayQuestions(scope)...)
	questions = append(questions, c.edgeQuestion(scope), c.arrivalQuestion(scope), c.releaseQuestion(scope))
	answers := make([][]incident.Fact, len(questions))
	var wait sync.WaitGroup
	for i, q := range questions {
		wait.Go(func() {
			series, err := c.cfg.Sampler.Samples(ctx, q.selector)
			now := c.cfg.Now()
			if err != nil {
				answers[i] = []incident.Fact{unknown(Prometheus, q.fact, Prometheus, q.selector, err.Error(), now)}
				return
			}
			answers[i] = q.read(q, series, now)
		})
	}
	wait.Wait()
	var facts []incident.Fact
	for _, answer := range answers {
		facts = append(facts, answer...)
	}
	return facts
}

func (c *PrometheusCollector) poolQuestions(scope Scope) []question {
	jobs, samples := jobs(scope.Workloads), c.samples()
	return []question{
		{PoolIdle, `db_client_connection_count{` + jobs + `,db_client_connection_state="idle"}` + samples, c.gauge("{connection}", 1)},
		{PoolUsed, `db_client_connection_count{` + jobs + `,db_client_connection_state="used"}` + samples, c.gauge("{connection}", 0)},
		{PoolMax, `db_client_connection_max{` + jobs + `}` + samples, c.gauge("{connection}", 0)},
		{PoolPending, `db_client_connection_pending_requests{` + jobs + `}` + samples, c.gauge("{request}", 1)},
		{PoolTimeouts, `db_client_connection_timeouts_total{` + jobs + `}` + samples, c.counter("{timeout}", 1)},
		{
			PoolConnectRefusals, `db_client_connection_create_failures_total{` + jobs + `,db_response_status_code="53300"}` + samples,
			c.counter("{refusal}", 1),
		},
		{PoolReleases, `db_client_connection_use_time_seconds_count{` + jobs + `}` + samples, c.releases},
	}
}

// perReplica groups series by their instance label and reads each group; one that has no fresh sample is unknown.
func (c *PrometheusCollector) perReplica(q question, series []Series, now time.Time,
	read func([]Series) (incident.Fact, bool),
) []incident.Fact {
	groups := map[string][]Series{}
	for _, s := range series {
		groups[s.Labels["instance"]] = append(groups[s.Labels["instance"]], s)
	}
	var facts []incident.Fact
	for replica, group := range groups {
		group = present(group)
		if age, fresh := c.fresh(group, now); !fresh {
			facts = append(facts, unknown(Prometheus, q.fact, replica, q.selector,
				fmt.Sprintf("stale: the last sample is %.1f s old; %s is the limit", age.Seconds(), c.cfg.Stale), now))
			continue
		}
		fact, ok := read(group)
		if !ok {
			facts = append(facts, unknown(Prometheus, q.fact, replica, q.selector, notTwo, now))
			continue
		}
		fact.Name, fact.Source, fact.Subject, fact.Query = q.fact, Prometheus, replica, q.selector
		fact.Status = incident.Known
		facts = append(facts, fact)
	}
	return facts
}

// notTwo is why an increase is unknown.
const notTwo = "fewer than two samples to compare"

// present leaves out the series of versions that the replica had before: a rollout may keep its name, and Prometheus
// remembers them for some scrapes.
func present(group []Series) []Series {
	version, newest := "", time.Time{}
	for _, s := range group {
		if last, ok := s.last(); ok && last.At.After(newest) {
			version, newest = s.Labels["version"], last.At
		}
	}
	return slices.DeleteFunc(group, func(s Series) bool { return s.Labels["version"] != version })
}

// fresh says how old the oldest last sample of the group is, and whether that is young enough.
func (c *PrometheusCollector) fresh(group []Series, now time.Time) (time.Duration, bool) {
	var oldest time.Duration
	for _, s := range group {
		last, ok := s.last()
		if !ok {
			return 0, false
		}
		oldest = max(oldest, now.Sub(last.At))
	}
	return oldest, oldest <= c.cfg.Stale
}
