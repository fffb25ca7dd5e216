package evidence

import (
	"fmt"
	"slices"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/workload"
)

// list asks for the live workloads, and keeps those of the scope.
func (g *Gatherer) list(scope Scope) part {
	all, err := scope.live()
	now := g.cfg.Now()
	if err != nil {
		return part{source: Workloads, facts: []incident.Fact{
			unknown(Workloads, "source", Workloads, g.cfg.ListQuery, err.Error(), now),
		}}
	}
	var mine []workload.Workload
	for _, w := range all {
		if slices.Contains(scope.Workloads, w.Name) {
			mine = append(mine, w)
		}
	}
	return part{source: Workloads, list: mine, listed: true, facts: replicaFacts(mine, g.cfg.ListQuery, now)}
}

// replicaFacts tells of every replica whether it is ready and how old this start of it is. The query
// is what the list was asked with.
func replicaFacts(workloads []workload.Workload, query string, now time.Time) []incident.Fact {
	var facts []incident.Fact
	for _, w := range workloads {
		for _, r := range w.Replicas {
			detail := fmt.Sprintf("%s, %s, version %s, start %s", w.Name, r.State, r.Version, r.StartID)
			ready := 0.0
			if r.State == workload.Ready {
				ready = 1
			}
			facts = append(facts, incident.Fact{
				Name: ReplicaReady, Source: Workloads, Subject: r.ID, Query: query, Status: incident.Known,
				Value: ready, Unit: "1", Threshold: 1, Detail: detail, At: now,
			})
			facts = append(facts, said(ReplicaWorkload, r.ID, query, w.Name, now), said(ReplicaVersion, r.ID, query, r.Version, now))
			if r.StartedAt.IsZero() {
				facts = append(facts, unknown(Workloads, ReplicaAge, r.ID, query, "it has not started", now))
				continue
			}
			facts = append(facts, incident.Fact{
				Name: ReplicaAge, Source: Workloads, Subject: r.ID, Query: query, Status: incident.Known,
				Value: now.Sub(r.StartedAt).Seconds(), Unit: "s", Threshold: LongestHold.Seconds(), Detail: detail, At: now,
			})
		}
	}
	return facts
}

// said is a fact whose value is a word.
func said(name, replica, query, word string, now time.Time) incident.Fact {
	return incident.Fact{
		Name: name, Source: Workloads, Subject: replica, Query: query, Status: incident.Known, Value: 1, Unit: "1", Detail: word, At: now,
	}
}
