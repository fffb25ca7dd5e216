// Package loki counts what went wrong by the logs. It corroborates and decides nothing, so it has little time to answer.
package loki

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/autoheal/evidence"
	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/observability/query"
)

const (
	lately = 6 * time.Second // older records may be of another story
	most   = 500             // records of one look; more tell nothing more
)

// Config says where Loki is and how long it may take.
type Config struct {
	Query query.Config
	// Deadline bounds a look, however long the others take; 200 ms by default.
	Deadline time.Duration
	Now      func() time.Time
}

// Collector implements evidence.Corroborator.
type Collector struct {
	cfg    Config
	client *query.Loki
}

// New makes a collector; it contacts nobody.
func New(cfg Config) (*Collector, error) {
	client, err := query.NewLoki(cfg.Query)
	if err != nil {
		return nil, err
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = 200 * time.Millisecond
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Collector{cfg, client}, nil
}

// Source is Loki.
func (*Collector) Source() string { return evidence.Loki }

// Corroborates says that nothing hangs on it.
func (*Collector) Corroborates() {}

// Collect counts the records with an error code, by service and code; none at all is a zero.
func (c *Collector) Collect(ctx context.Context, scope evidence.Scope) []incident.Fact {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Deadline)
	defer cancel()
	quoted := make([]string, len(scope.Workloads))
	for i, w := range scope.Workloads {
		quoted[i] = regexp.QuoteMeta(w)
	}
	asked := fmt.Sprintf(`{service_name=~%q} | error_code!=""`, strings.Join(quoted, "|"))
	now := c.cfg.Now()
	records, err := c.client.QueryRange(ctx, asked, now.Add(-lately), now, most)
	fact := incident.Fact{
		Name: evidence.ErrorLines, Source: evidence.Loki, Subject: "all", Query: asked, Status: incident.Known, Unit: "{record}",
		Detail: "of the last " + lately.String(), At: now,
	}
	if err != nil {
		fact.Status, fact.Detail = incident.Unknown, err.Error()
		return []incident.Fact{fact}
	}
	counts := map[string]float64{"all": float64(len(records))}
	for _, record := range records {
		counts[record.Labels["service_name"]+"/"+record.Labels["error_code"]]++
	}
	var facts []incident.Fact
	for subject, n := range counts {
		fact.Subject, fact.Value = subject, n
		facts = append(facts, fact)
	}
	return facts
}
